/** Lists the candidates for planning: the given key, the keys under a prefix, the items and keys of a plan, or the files of an export. */
import { z } from 'zod';
import { DataConversionError, InvalidEventError } from '../errors';
import { validate } from '../validation';
import { jsonObjects } from './json-objects';
import { isParquetKey } from './left-out';
import type { Load } from './load';
import { type ObjectRef, type ObjectStore, type ObjectVersion, parseS3Uri } from './objects';
import type { ExportCandidate } from './plan-export';
import { type ExportPart, type PlanItem, repeatedSchema } from './plan-item';

/** Where the next part of a plan begins: after a key, or after a number of keys or items. */
export const continuationSchema = z.union([
  z.strictObject({ after: z.string() }),
  z.strictObject({ skip: z.number().int().min(1) }),
]);
export type Continuation = z.output<typeof continuationSchema>;

export interface Candidate {
  readonly ref: ObjectRef;
  /** The continuation after this candidate. */
  readonly position: Continuation;
  /** Whether an earlier candidate was for the same file. */
  readonly isRepeat?: boolean;
  /** Of a file of an export. */
  readonly export?: ExportPart | undefined;
  /** Decides what to do with the candidate. May read the metadata of the object. */
  choose(): Promise<Choice> | Choice;
}

export type Choice =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'file'; readonly version: ObjectVersion | undefined; readonly dataset?: string }
  | { readonly kind: 'export'; readonly version: ObjectVersion | undefined; readonly part: ExportPart }
  | { readonly kind: 'item'; readonly item: PlanItem }
  /** An item of a file that changed. An earlier candidate has planned the whole file again. */
  | { readonly kind: 'done' };

/** What an earlier plan knows of a file: undefined if it could not plan the file. */
type Planned = Pick<PlanItem, 'etag' | 'dataset'> | undefined;

/** @param exported the files of an export, for a load of one */
export function candidates(
  { source, dataset }: Load,
  continuation: Continuation | null,
  objects: ObjectStore,
  exported: readonly ExportCandidate[] = [],
): AsyncIterable<Candidate> | Iterable<Candidate> {
  const skip = continuation && 'skip' in continuation ? continuation.skip : 0;
  if ('export' in source) return exportFiles(exported, skip);
  if ('prefix' in source) {
    const after = continuation && 'after' in continuation ? continuation.after : undefined;
    return listed(objects, source.bucket, source.prefix, after);
  }
  if ('plan' in source) return repeated(objects, parseS3Uri(source.plan), dataset, skip);
  return skip > 0 ? [] : [named(objects, source)];
}

async function* listed(
  objects: ObjectStore,
  bucket: string,
  prefix: string,
  after: string | undefined,
): AsyncGenerator<Candidate> {
  for await (const page of objects.list(bucket, prefix, after)) {
    for (const version of page) {
      const choice: Choice = isParquetKey(version.key, prefix) ? { kind: 'file', version } : { kind: 'ignored' };
      yield { ref: version, position: { after: version.key }, choose: () => choice };
    }
  }
}

function* exportFiles(files: readonly ExportCandidate[], skip: number): Generator<Candidate> {
  for (const [index, { ref, version, part, cause }] of files.entries()) {
    if (index < skip) continue;
    const choose = (): Choice => {
      if (part && cause === undefined) return { kind: 'export', version, part };
      throw new DataConversionError(cause ?? 'the mapping of the file is unknown');
    };
    yield { ref, position: { skip: index + 1 }, export: part, choose };
  }
}

function named(objects: ObjectStore, ref: ObjectRef): Candidate {
  const choose = async () => ({ kind: 'file' as const, version: await objects.find(ref) });
  return { ref, position: { skip: 1 }, choose };
}

/**
 * The items of an earlier plan. An item is kept as it is if its file has not changed since. A whole file is planned again, once, if it has
 * changed, was not planned before, or now has another dataset. A part does not know the parts before it: it reads their lines again to find
 * the files that they planned.
 */
async function* repeated(
  objects: ObjectStore,
  plan: ObjectRef,
  dataset: string | null,
  skip: number,
): AsyncGenerator<Candidate> {
  const name = objects.nameOf(plan);
  const lines = await objects.read(plan);
  if (!lines) throw new InvalidEventError(`the plan ${name} does not exist`);
  const versions = new Map<string, Promise<ObjectVersion | undefined>>();
  const replanned = new Set<string>();
  /** The etags and datasets, by file, of the lines of earlier parts. Undefined for a file that was not planned. */
  const earlier = new Map<string, Planned[]>();
  const isCurrent = (planned: Planned, version: ObjectVersion | undefined): boolean =>
    planned !== undefined && version?.etag === planned.etag && (dataset === null || dataset === planned.dataset);
  let count = 0;
  for await (const line of jsonObjects(lines, name)) {
    count += 1;
    const entry = validate(repeatedSchema, line, `line ${count} of ${name}`);
    const item = 'etag' in entry ? entry : undefined;
    const ref = { bucket: entry.bucket, key: entry.key };
    const id = objects.nameOf(ref);
    const before = earlier.get(id) ?? [];
    if (count <= skip) {
      const isKnown = before.some((planned) => planned?.etag === item?.etag && planned?.dataset === item?.dataset);
      if (!isKnown) earlier.set(id, [...before, item && { etag: item.etag, dataset: item.dataset }]);
      continue;
    }
    const known = versions.get(id);
    const finding = known ?? objects.find(ref);
    versions.set(id, finding);
    const choose = async (): Promise<Choice> => {
      const version = await finding;
      if (item && isCurrent(item, version)) return { kind: 'item', item };
      if (replanned.has(id) || before.some((planned) => !isCurrent(planned, version))) return { kind: 'done' };
      replanned.add(id);
      if (entry.export) return { kind: 'export', version, part: entry.export };
      return { kind: 'file', version, ...(item && { dataset: dataset ?? item.dataset }) };
    };
    const isRepeat = known !== undefined || before.length > 0;
    yield { ref, position: { skip: count }, isRepeat, export: entry.export, choose };
  }
}
