/** Reads what an UNLOAD wrote: its manifest and its metadata. */
import { DataConversionError } from '../errors';
import { readManifest } from '../exports/manifest';
import { readMetadata } from '../exports/metadata';
import { type ObjectRef, type ObjectStore, parseS3Uri, readText } from '../loads/objects';
import type { Column } from './records';

const MANIFEST = '_manifest.json';
const METADATA = '_metadata.json';
const TYPES = ['varchar', 'double', 'bigint', 'boolean', 'timestamp'] as const;

export interface QueryFiles {
  /** The address of the manifest. */
  readonly manifest: string;
  readonly rows: number;
  /** Bytes of the result files. */
  readonly bytes: number;
  readonly files: number;
  readonly columns: readonly Column[];
}

/** The manifest in the folder of an attempt; undefined if its query has not ended. */
export async function findManifest(objects: ObjectStore, folder: string): Promise<ObjectRef | undefined> {
  const { bucket, key } = parseS3Uri(folder);
  for await (const page of objects.list(bucket, key)) {
    const found = page.find((version) => version.key.endsWith(MANIFEST));
    if (found) return { bucket, key: found.key };
  }
  return undefined;
}

/**
 * @param known columns of the survey; a column that the table gained since then has the role of its place in the metadata
 * @throws DataConversionError if the manifest or the metadata is missing or damaged
 */
export async function readQueryFiles(
  objects: ObjectStore,
  manifest: ObjectRef,
  known: readonly Column[],
): Promise<QueryFiles> {
  const { files, rows } = readManifest(await textOf(objects, manifest), objects.nameOf(manifest));
  const metadata = { bucket: manifest.bucket, key: manifest.key.slice(0, -MANIFEST.length) + METADATA };
  const columns = readMetadata(await textOf(objects, metadata), objects.nameOf(metadata));
  const end = columns.findIndex(({ name }) => name === 'measure_name');
  return {
    manifest: `s3://${manifest.bucket}/${manifest.key}`,
    rows,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    files: files.length,
    columns: columns.flatMap(({ name, type }, index): Column[] => {
      const same = known.find((column) => column.name === name);
      const found = TYPES.find((each) => each === type.toLowerCase());
      if (same) return [same];
      return found === undefined ? [] : [{ name, type: found, role: index < end ? 'dimension' : 'measure' }];
    }),
  };
}

async function textOf(objects: ObjectStore, ref: ObjectRef): Promise<string> {
  const text = await readText(objects, ref);
  if (text !== undefined) return text;
  throw new DataConversionError(`${objects.nameOf(ref)} does not exist, but UNLOAD reported it`);
}
