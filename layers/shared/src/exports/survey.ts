/** What an export has: pairs the manifests, metadata and result files in a folder by their query. Manifests alone decide what is loaded. */
import { partitionColumns } from '../datasets/partitions';
import { DataConversionError, InvalidEventError, S3UnavailableError } from '../errors';
import { inOrder } from '../loads/in-order';
import { type ObjectRef, type ObjectStore, type ObjectVersion, readText } from '../loads/objects';
import { type Manifest, readManifest } from './manifest';
import { type ExportColumn, readMetadata } from './metadata';

const MANIFEST = '_manifest.json';
const METADATA = '_metadata.json';
/** The folder of the result files, beside manifest and metadata. */
const RESULTS = 'results/';
/** Manifests and metadata read concurrently. */
const READS = 32;

/** A file that a manifest lists. */
export interface ExportFile extends ObjectRef {
  readonly query: ExportQuery;
  /** By the listing; undefined for a file that does not exist. */
  readonly version: ObjectVersion | undefined;
  /** By the manifest: bytes and rows. */
  readonly size: number;
  readonly rows: number;
}

/** One UNLOAD. */
export interface ExportQuery {
  /** 63 letters and digits, `_` and ten digits. */
  readonly id: string;
  /** The folder of its manifest below the prefix, without a slash at its end; empty for the prefix itself. */
  readonly folder: string;
  /** Undefined if the query has no metadata. */
  readonly columns: readonly ExportColumn[] | undefined;
  /** Columns that the folders below `results/` supply. */
  readonly partitions: ReadonlySet<string>;
  readonly format: Manifest['format'];
}

/** A manifest that cannot be read. */
export interface ExportProblem extends ObjectRef {
  readonly cause: string;
}

export interface ExportSurvey {
  readonly queries: readonly ExportQuery[];
  /** In the order of the manifests' keys. A file that several manifests list is here once. */
  readonly files: readonly ExportFile[];
  readonly problems: readonly ExportProblem[];
  /** Objects that no manifest lists, such as the partial files of a failed query, and manifests that repeat another one. */
  readonly ignored: number;
}

/**
 * Surveys the exports under a prefix, also in nested folders. Reads all manifests and metadata, and no result file.
 * @throws InvalidEventError if there is no manifest; errors of the store if it cannot be listed or read
 */
export async function surveyExport(
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  objects: ObjectStore,
): Promise<ExportSurvey> {
  const { manifests, metadata, others } = await listed(bucket, prefix, objects);
  if (manifests.length === 0) throw noManifest(bucket, prefix, others.size, objects);

  const survey = { queries: [] as ExportQuery[], files: [] as ExportFile[], problems: [] as ExportProblem[] };
  const claimed = new Set<string>();
  let repeats = 0;
  const read = (key: string) => readQuery({ bucket, key }, metadata, objects);
  for await (const found of inOrder(manifests, READS, read)) {
    if ('cause' in found) {
      survey.problems.push(found);
      continue;
    }
    const { manifest, key } = found;
    const folder = key.slice(0, key.lastIndexOf('/') + 1);
    const located = manifest.files.map((file) => ({ ...file, keys: keysOf(file.url, folder) }));
    const places = located.map((file) => ({ ...file, key: file.keys.find((candidate) => others.has(candidate)) }));
    const isNew = (place: (typeof places)[number]): boolean => place.key === undefined || !claimed.has(place.key);
    if (places.length > 0 && !places.some(isNew)) {
      repeats += 1;
      continue;
    }
    const query: ExportQuery = {
      id: idOf(key),
      folder: folder.slice(prefix.lastIndexOf('/') + 1).replace(/\/$/, ''),
      columns: found.columns,
      partitions: new Set(
        located.flatMap(({ keys: [best = ''] }) => [...partitionColumns(best.slice(folder.length)).keys()]),
      ),
      format: manifest.format,
    };
    survey.queries.push(query);
    for (const place of places.filter(isNew)) {
      const { size, rows, keys } = place;
      const version = place.key === undefined ? undefined : others.get(place.key);
      if (version) claimed.add(version.key);
      survey.files.push({ bucket, key: version?.key ?? keys[0] ?? key, query, version, size, rows });
    }
  }
  return { ...survey, ignored: others.size - claimed.size + repeats };
}

async function listed(bucket: string, prefix: string, objects: ObjectStore) {
  const manifests: string[] = [];
  const metadata = new Set<string>();
  const others = new Map<string, ObjectVersion>();
  for await (const page of objects.list(bucket, prefix)) {
    for (const version of page) {
      if (version.key.endsWith(MANIFEST)) manifests.push(version.key);
      else if (version.key.endsWith(METADATA)) metadata.add(version.key);
      else others.set(version.key, version);
    }
  }
  return { manifests, metadata, others };
}

interface ReadQuery {
  readonly key: string;
  readonly manifest: Manifest;
  /** Undefined without metadata. */
  readonly columns: ExportColumn[] | undefined;
}

/** The manifest and the metadata of a query, or why they cannot be read. */
async function readQuery(
  ref: ObjectRef,
  metadata: ReadonlySet<string>,
  objects: ObjectStore,
): Promise<ReadQuery | ExportProblem> {
  try {
    const manifest = readManifest(await textOf(ref, objects), objects.nameOf(ref));
    const beside = { bucket: ref.bucket, key: ref.key.slice(0, -MANIFEST.length) + METADATA };
    const columns = metadata.has(beside.key)
      ? readMetadata(await textOf(beside, objects), objects.nameOf(beside))
      : undefined;
    return { key: ref.key, manifest, columns };
  } catch (error) {
    if (error instanceof S3UnavailableError || !(error instanceof Error)) throw error;
    return { ...ref, cause: error.message };
  }
}

async function textOf(ref: ObjectRef, objects: ObjectStore): Promise<string> {
  const text = await readText(objects, ref);
  if (text === undefined) throw new DataConversionError(`${objects.nameOf(ref)} no longer exists`);
  return text;
}

const idOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1, -MANIFEST.length);

/**
 * The keys that a file of the manifest may have, the most likely first: its path from `results/` on, in the folder of the manifest, because
 * the export may have been copied to another bucket or folder. Values of partition columns may be percent-encoded in the url.
 */
function keysOf(url: string, folder: string): string[] {
  const path = url.replace(/^s3:\/\/[^/]+/, '');
  const keys: string[] = [];
  for (
    let at = path.lastIndexOf(`/${RESULTS}`);
    at >= 0;
    at = at === 0 ? -1 : path.lastIndexOf(`/${RESULTS}`, at - 1)
  ) {
    const below = path.slice(at + 1);
    keys.push(folder + below, folder + decoded(below));
  }
  return keys.length > 0 ? keys : [folder + path.slice(path.lastIndexOf('/') + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function noManifest(bucket: string, prefix: string, others: number, objects: ObjectStore): InvalidEventError {
  const where = objects.nameOf({ bucket, key: prefix });
  const found = others > 0 ? ` (${others} other objects are there: UNLOAD writes no manifest when a query fails)` : '';
  return new InvalidEventError(`no manifest of an UNLOAD (*${MANIFEST}) is under ${where}${found}`);
}
