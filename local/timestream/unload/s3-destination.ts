/** Writes objects to S3, in several parts if they are large. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetBucketAclCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { validationError } from '../errors';
import type { Encryption, ExportObject, UnloadDestination } from './destination';

/** S3 allows 10,000 parts, so that objects may have 80 GB. */
const PART_BYTES = 8 * 2 ** 20;

export class S3Destination implements UnloadDestination {
  constructor(private readonly s3: S3Client) {}

  /** With the same call as the service. */
  async assertUsable(bucket: string): Promise<void> {
    await explaining(`s3://${bucket}`, this.s3.send(new GetBucketAclCommand({ Bucket: bucket })));
  }

  create(bucket: string, key: string, encryption: Encryption): Promise<ExportObject> {
    return Promise.resolve(new S3Object(this.s3, { Bucket: bucket, Key: key }, encryption));
  }
}

class S3Object implements ExportObject {
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private uploadId: string | undefined;
  private readonly parts: { PartNumber: number; ETag: string | undefined }[] = [];
  private readonly encrypted: { ServerSideEncryption: 'AES256' | 'aws:kms'; SSEKMSKeyId?: string };

  constructor(
    private readonly s3: S3Client,
    private readonly target: { readonly Bucket: string; readonly Key: string },
    { encryption, kmsKey }: Encryption,
  ) {
    this.encrypted = {
      ServerSideEncryption: encryption === 'SSE_KMS' ? 'aws:kms' : 'AES256',
      ...(kmsKey !== undefined && { SSEKMSKeyId: kmsKey }),
    };
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    if (this.pendingBytes >= PART_BYTES) await this.attempt(() => this.uploadPart());
  }

  async close(): Promise<void> {
    await this.attempt(async () => {
      if (this.uploadId === undefined) {
        await this.s3.send(new PutObjectCommand({ ...this.target, ...this.encrypted, Body: this.take() }));
        return;
      }
      if (this.pendingBytes > 0) await this.uploadPart();
      const upload = { ...this.target, UploadId: this.uploadId, MultipartUpload: { Parts: this.parts } };
      await this.s3.send(new CompleteMultipartUploadCommand(upload));
    });
  }

  private take(): Uint8Array {
    const body = Buffer.concat(this.pending);
    this.pending = [];
    this.pendingBytes = 0;
    return body;
  }

  private async uploadPart(): Promise<void> {
    if (this.uploadId === undefined) {
      const created = await this.s3.send(new CreateMultipartUploadCommand({ ...this.target, ...this.encrypted }));
      this.uploadId = created.UploadId;
    }
    const part = { UploadId: this.uploadId, PartNumber: this.parts.length + 1 };
    const { ETag } = await this.s3.send(new UploadPartCommand({ ...this.target, ...part, Body: this.take() }));
    this.parts.push({ PartNumber: part.PartNumber, ETag });
  }

  /** After a failure the parts are deleted if possible, as the service does. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await explaining(`s3://${this.target.Bucket}/${this.target.Key}`, work());
    } catch (error) {
      if (this.uploadId !== undefined) {
        const upload = { ...this.target, UploadId: this.uploadId };
        await this.s3.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      }
      throw error;
    }
  }
}

async function explaining<T>(address: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const { name, message } = error as Error;
    throw validationError(`UNLOAD cannot write to ${address}: ${name}: ${message}`);
  }
}
