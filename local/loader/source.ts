/** Finds the objects of a load from its sources: files, folders, globs, S3 addresses, and the failed items of an earlier load. */
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { JsonLines } from 'shared/loads/json-lines';
import { isLeftOut, isParquetKey } from 'shared/loads/left-out';
import { readInput } from 'shared/loads/load';
import { type ObjectRef, type ObjectStore, parseS3Uri } from 'shared/loads/objects';
import { type Repeated, repeatedSchema } from 'shared/loads/plan-item';
import { workKey } from 'shared/loads/work-keys';
import { glob, isDynamicPattern } from 'tinyglobby';
import { commandLine } from '../cli/command-line';
import { UsageError } from '../cli/ending';
import { combined, FolderObjects } from './folder-objects';
import { isReport, originOf, type ReportFolder, WORK } from './report-folder';

/** Bucket names that are not valid in S3: for the current folder, and for the root (on Windows with the drive). */
const FILES = 'LOCAL_FILES';
const ROOT = 'LOCAL_ROOT';

export interface Source {
  /** In the form of an execution's input. */
  readonly input:
    | { readonly bucket: string; readonly key: string }
    | { readonly bucket: string; readonly prefix: string }
    | { readonly plan: string }
    | { readonly export: string; readonly options: unknown };
  readonly objects: ObjectStore;
  /** The datasets of the failed items of earlier loads. */
  readonly datasets: readonly string[];
}

type Place = ObjectRef & { readonly kind: 'file' | 'folder' | 'items' };

/**
 * @param usesS3 whether anything besides the sources, such as a mapping, is in S3
 * @throws UsageError if a file or folder does not exist, or an address is not valid
 */
export async function readSources(sources: readonly string[], report: ReportFolder, usesS3 = false): Promise<Source> {
  const { names, places, folders } = await locate(sources);
  const localItems = names.filter((name) => isItems(name) && !name.startsWith('s3://'));
  const items = localItems.flatMap((name) => readItems(name, folders));
  const objects = combined([WORK], report.objects, await storeOf(names, folders, usesS3));

  const [place] = places;
  if (places.length === 1 && place !== undefined && localItems.length === 0)
    return { input: inputOf(place), objects, datasets: [] };
  // Several sources become a list of files, in the format of failed items.
  const lines = new JsonLines();
  for (const item of items) lines.add(item);
  for (const [index, each] of places.entries()) {
    for await (const line of linesOf(each, names[index] ?? '', objects)) lines.add(line);
  }
  const plan = { bucket: WORK, key: workKey(report.loadId, 'sources.jsonl') };
  await objects.write(plan, lines.text(), 'application/x-ndjson');
  const datasets = new Set(items.flatMap((item) => ('dataset' in item && !item.export ? [item.dataset] : [])));
  return { input: { plan: `s3://${plan.bucket}/${plan.key}` }, objects, datasets: [...datasets] };
}

/**
 * The Parquet files of sources, at most `max`.
 * @throws UsageError if a file or folder does not exist, an address is not valid, or a source lists failed items
 */
export async function listFiles(
  sources: readonly string[],
  max: number,
): Promise<{ readonly files: readonly ObjectRef[]; readonly objects: ObjectStore; readonly isComplete: boolean }> {
  const { names, places, folders } = await locate(sources);
  const objects = await storeOf(names, folders);
  const files: ObjectRef[] = [];
  for (const [index, place] of places.entries()) {
    const name = names[index] ?? '';
    if (isItems(name)) throw new UsageError(`${name} lists failed items: name a Parquet file or a folder of them`);
    for await (const file of linesOf(place, name, objects)) {
      if (files.length >= max) return { files, objects, isComplete: false };
      files.push(file);
    }
  }
  return { files, objects, isComplete: true };
}

interface Located {
  readonly names: readonly string[];
  /** In the order of `names`. */
  readonly places: readonly Place[];
  /** The local folder of each bucket name. */
  readonly folders: Record<string, string>;
}

async function locate(sources: readonly string[]): Promise<Located> {
  const names = (await Promise.all(sources.map(expanded))).flat();
  const folders: Record<string, string> = {};
  const places = names.map((name) => (name.startsWith('s3://') ? remotePlace(name) : localPlace(name, folders)));
  return { names, places, folders };
}

async function storeOf(
  names: readonly string[],
  folders: Readonly<Record<string, string>>,
  usesS3 = false,
): Promise<ObjectStore> {
  const isRemote = usesS3 || names.some((name) => name.startsWith('s3://'));
  const others = isRemote ? (await import('../../functions/clients/s3')).s3Objects() : new FolderObjects({});
  return combined(Object.keys(folders), new FolderObjects(folders), others);
}

/**
 * The source of an export.
 * @param folder a local folder or an s3:// address
 * @throws UsageError if it does not exist
 */
export async function readExport(folder: string, options: unknown, report: ReportFolder): Promise<Source> {
  if (folder.startsWith('s3://')) {
    const { s3Objects } = await import('../../functions/clients/s3');
    const objects = combined([WORK], report.objects, s3Objects());
    return { input: { export: folder, options }, objects, datasets: [] };
  }
  const path = resolve(folder);
  if (!existsSync(path)) throw new UsageError(`the folder ${folder} does not exist`);
  if (!statSync(path).isDirectory())
    throw new UsageError(`--export ${folder} is a file: give the folder of the export`);
  const folders: Record<string, string> = {};
  const { bucket, key } = localRef(path, folders);
  const objects = combined([WORK], report.objects, new FolderObjects(folders));
  return { input: { export: `s3://${bucket}/${key}/`, options }, objects, datasets: [] };
}

const isItems = (name: string): boolean => name.endsWith('.jsonl');

/** The files that a glob matches. Needed on Windows, where shells do not expand globs. */
async function expanded(source: string): Promise<string[]> {
  if (source.startsWith('s3://') || existsSync(source) || !isDynamicPattern(source)) return [source];
  const files = await glob(source.replaceAll('\\', '/'), { onlyFiles: true, expandDirectories: false });
  // As in a folder, uncommitted files of a running job and other hidden files are left out below the part without wildcards.
  const base = resolve(staticPart(source.replaceAll('\\', '/')));
  const shown = files.filter((file) => !isLeftOut(relative(base, resolve(file)).split(sep).join('/')));
  if (shown.length === 0) {
    const hidden = files.length > 0 ? ` (${files.length} hidden files were left out)` : '';
    throw new UsageError(`no file matches ${source}${hidden}`);
  }
  return shown.sort();
}

/** The folders of a glob before its first wildcard. */
function staticPart(pattern: string): string {
  const segments = pattern.split('/');
  const first = segments.findIndex((segment) => isDynamicPattern(segment));
  return `${segments.slice(0, first).join('/')}/`.replace(/^\/$/, pattern.startsWith('/') ? '/' : '.');
}

function remotePlace(address: string): Place {
  const kind = isItems(address) ? 'items' : isParquetName(address) ? 'file' : 'folder';
  try {
    return { ...parseS3Uri(address), kind };
  } catch {
    throw new UsageError(`${address} is not valid: it must be s3://BUCKET/KEY-OR-PREFIX`);
  }
}

function localPlace(name: string, folders: Record<string, string>): Place {
  const path = resolve(name);
  if (!existsSync(path)) throw new UsageError(`the file or folder ${name} does not exist`);
  if (isReport(path)) {
    const items = join(name, 'failed-items.jsonl');
    const hint = existsSync(items) ? `did you mean ${items}?` : 'it has no failed items to load';
    throw new UsageError(`${name} is the report of a load: ${hint}`);
  }
  const ref = localRef(path, folders);
  if (isItems(name)) return { ...ref, kind: 'items' };
  const isFolder = statSync(path).isDirectory();
  if (!isFolder && !isParquetName(name)) assertParquet(name, path);
  return isFolder ? { ...ref, key: `${ref.key}/`, kind: 'folder' } : { ...ref, kind: 'file' };
}

const isParquetName = (name: string): boolean => /\.(?:parquet|parq|pq)$/i.test(name);

/** The first bytes of a Parquet file, also of one with an encrypted footer. Source: the Parquet format, "File format". */
const MAGIC = ['PAR1', 'PARE'];

/** A file of another format would be searched for its dataset first. @throws UsageError if it is not a Parquet file */
function assertParquet(name: string, path: string): void {
  const start = Buffer.alloc(4);
  const file = openSync(path, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  if (MAGIC.includes(start.toString('latin1'))) return;
  const write = commandLine('sample', ['write', name]);
  throw new UsageError(`${name} is not a Parquet file. Line protocol is written by ${write}, or by curl --data-binary`);
}

/** Keys start at the current folder where possible, so that the names of folders above it cannot be taken for a dataset. */
function localRef(path: string, folders: Record<string, string>): ObjectRef {
  const below = relative(process.cwd(), path);
  const isBelow = below !== '' && !below.startsWith('..') && !isAbsolute(below);
  const { root } = parse(path);
  const bucket = isBelow ? FILES : `${ROOT}${root.replace(/\W/g, '')}`;
  folders[bucket] = isBelow ? process.cwd() : root;
  return { bucket, key: (isBelow ? below : path.slice(root.length)).split(sep).join('/') };
}

function inputOf({ kind, bucket, key }: Place): Source['input'] {
  if (kind === 'file') return { bucket, key };
  return kind === 'folder' ? { bucket, prefix: key } : { plan: `s3://${bucket}/${key}` };
}

/**
 * The input of an execution for an S3 address.
 * @throws UsageError if the address is not valid
 */
export function remoteInput(address: string): Source['input'] {
  return inputOf(remotePlace(address));
}

/**
 * The address and options that start this input of an execution; undefined if no address does, such as for a list of keys.
 * @param input as JSON
 */
export function wordsOfInput(input: string): string[] | undefined {
  const { source, options } = readInput(parsed(input));
  if ('keys' in source || 'export' in source) return undefined;
  const address =
    'plan' in source ? source.plan : `s3://${source.bucket}/${'key' in source ? source.key : source.prefix}`;
  if (!isDeepStrictEqual(remoteInput(address), source)) return undefined;
  return [address, ...(options.dataset ? ['--dataset', options.dataset] : [])];
}

async function* linesOf(place: Place, name: string, objects: ObjectStore): AsyncGenerator<ObjectRef> {
  const { kind, bucket, key } = place;
  if (kind === 'file') yield { bucket, key };
  else if (kind === 'folder') {
    let found = 0;
    for await (const page of objects.list(bucket, key)) {
      for (const version of page.filter((each) => isParquetKey(each.key, key))) {
        found += 1;
        yield { bucket, key: version.key };
      }
    }
    if (found === 0) throw new UsageError(`no Parquet file was found under ${name}`);
  } else if (name.startsWith('s3://')) {
    throw new UsageError(`${name} lists failed items of a load from S3: load it without other sources`);
  }
}

/** The items of a local `failed-items.jsonl`. Their paths are relative to the folder in which that load was started. */
function readItems(name: string, folders: Record<string, string>): Repeated[] {
  const origin = originOf(name) ?? process.cwd();
  const lines = readFileSync(name, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const item = repeatedSchema.safeParse(parsed(line)).data;
    if (item === undefined) throw new UsageError(`line ${index + 1} of ${name} is not a valid item of a load`);
    if (!item.bucket.startsWith('LOCAL_')) {
      throw new UsageError(`${name} lists items of a load from S3: give the s3:// address of this file instead`);
    }
    const root = item.bucket === FILES ? origin : rootOf(item.bucket);
    const file = localRef(join(root, item.key), folders);
    if (!item.export) return [{ ...item, ...file }];
    // The mapping of its table is in the report of that load, beside the failed items.
    const mapping = localRef(resolve(dirname(name), ...item.export.mapping.key.split('/').slice(-2)), folders);
    return [{ ...item, ...file, export: { ...item.export, mapping } }];
  });
}

/** `/`, or the drive at the end of the bucket's name. */
const rootOf = (bucket: string): string => (bucket === ROOT ? '/' : `${bucket.slice(ROOT.length)}:\\`);

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
