/** Deletes objects in S3. Imported on first use. */
import { DeleteObjectsCommand, S3Client } from '@aws-sdk/client-s3';
import { S3UnavailableError } from 'shared/errors';
import type { ObjectRef } from 'shared/loads/objects';

/** Maximum keys of one DeleteObjects. */
const MAX_KEYS = 1_000;

/** @throws S3UnavailableError that names an object which S3 did not delete */
export async function deleteObjects(refs: readonly ObjectRef[], region: string | undefined): Promise<void> {
  const client = new S3Client(region === undefined ? {} : { region });
  for (const bucket of new Set(refs.map((ref) => ref.bucket))) {
    const keys = refs.filter((ref) => ref.bucket === bucket).map(({ key }) => ({ Key: key }));
    for (let at = 0; at < keys.length; at += MAX_KEYS) {
      const input = { Bucket: bucket, Delete: { Objects: keys.slice(at, at + MAX_KEYS), Quiet: true } };
      const { Errors: [error] = [] } = await client.send(new DeleteObjectsCommand(input));
      if (error)
        throw new S3UnavailableError(`cannot delete s3://${bucket}/${error.Key}: ${error.Code}: ${error.Message}`);
    }
  }
}
