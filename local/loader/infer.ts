/** Infers a mapping from the files of some sources. */
import { join } from 'node:path';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { detectDataset } from 'shared/datasets/detect';
import type { PathColumn } from 'shared/datasets/inference/columns';
import { type Inference, type InferenceChoices, inferMapping } from 'shared/datasets/inference/infer';
import { measurementOf } from 'shared/datasets/inference/names';
import type { FileProfile, SeriesProfile } from 'shared/datasets/inference/profile';
import { partitionColumns } from 'shared/datasets/partitions';
import { DataConversionError } from 'shared/errors';
import type { ObjectRef, ObjectStore } from 'shared/loads/objects';
import { ParquetReader } from 'shared/parquet/reader';
import { SAMPLE_LIMITS } from 'shared/parquet/sample';
import { chooseFiles } from './sample-files';
import { listFiles } from './source';

/** Files whose paths are looked at. */
const MAX_FILES = 10_000;

export interface InferOptions extends InferenceChoices {
  readonly measurement?: string | undefined;
}

export interface Overwrites {
  readonly inFiles: number;
  /** Rows that repeat a point of another file. */
  readonly acrossFiles: number;
  /** Two files with such rows. */
  readonly example?: readonly [string, string];
}

export interface InferredLoad extends Inference {
  /** Of the sampled files. */
  readonly rows: number;
  readonly sampledRows: number;
  readonly files: number;
  /** Whether there are further files, which were not looked at. */
  readonly moreFiles: boolean;
  readonly sampledFiles: number;
  readonly series: number;
  /** Sampled rows whose tags and time an earlier row has. */
  readonly overwrites: Overwrites;
  /** Whether the paths of the files name another dataset, or several, so that a load has to name this one. */
  readonly needsDataset: boolean;
}

/** @throws UsageError or DataConversionError that says what to change */
export async function inferFromSources(
  sources: readonly string[],
  options: InferOptions,
  signal: AbortSignal,
): Promise<InferredLoad> {
  const { files, objects, isComplete } = await listFiles(sources, MAX_FILES);
  // The bundler puts the worker beside the program.
  const reader = new ParquetReader({ workerFile: join(__dirname, 'parquet-worker.cjs') });
  try {
    const nameOf = (file: ObjectRef) => objects.nameOf(file);
    const inspect = (file: ObjectRef) => withSource(objects, file, (source) => reader.inspect(source, signal));
    const { sampled, others, doubts } = await chooseFiles(files, inspect, nameOf);
    const sampleRows = Math.ceil(SAMPLE_LIMITS.rows / sampled.length);
    const profiles: FileProfile[] = [];
    for (const file of sampled) {
      const profile = await withSource(objects, file, (source) => reader.profile(source, sampleRows, signal));
      profiles.push({ ...profile, folders: foldersOf(file, objects) });
    }
    const keys = files.map((file) => file.key);
    const measurement = options.measurement ?? measurementOf(files.map((file) => objects.pathOf?.(file) ?? file.key));
    const rowless = others.map(({ file, profile }) => ({
      ...{ ...profile, name: nameOf(file), folders: foldersOf(file, objects) },
    }));
    const inference = inferMapping([...profiles, ...rowless], pathColumns(files, objects), measurement, options);
    const name = datasetOfPaths(keys) ?? inference.mapping.name;
    const mapping = { ...inference.mapping, name };
    const { time, tags } = mapping;
    const columns = {
      time,
      tags: tags.optional.map((tag) => (typeof tag === 'string' ? tag : tag.column)),
    };
    const counts: { name: string; count: SeriesProfile }[] = [];
    for (const file of sampled) {
      const count = await withSource(objects, file, (source) =>
        reader.countSeries(source, { ...columns, partitions: foldersOf(file, objects) }, sampleRows, signal),
      );
      counts.push({ name: nameOf(file), count });
    }
    return {
      ...inference,
      ambiguities: [...inference.ambiguities, ...doubts],
      mapping,
      rows: profiles.reduce((sum, profile) => sum + profile.rows, 0),
      sampledRows: profiles.reduce((sum, profile) => sum + profile.sampledRows, 0),
      files: files.length,
      moreFiles: !isComplete,
      sampledFiles: sampled.length,
      series: new Set(counts.flatMap(({ count }) => count.series)).size,
      overwrites: overwritesOf(counts),
      needsDataset: keys.some((key) => detected(key, name) !== name),
    };
  } finally {
    await reader.close();
  }
}

async function withSource<T>(
  objects: ObjectStore,
  file: ObjectRef,
  use: (source: Awaited<ReturnType<ObjectStore['open']>>) => Promise<T>,
): Promise<T> {
  const version = await objects.find(file);
  if (!version) {
    const object = objects.nameOf(file);
    throw new DataConversionError(`${object} does not exist`, { object });
  }
  const source = await objects.open(version);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

const foldersOf = (file: ObjectRef, objects: ObjectStore) => partitionColumns(objects.pathOf?.(file) ?? file.key);

/** Columns of the paths, with null for a path without one. */
function pathColumns(files: readonly ObjectRef[], objects: ObjectStore): PathColumn[] {
  const values = new Map<string, Set<string | null>>();
  const all = files.map((file) => foldersOf(file, objects));
  for (const columns of all) for (const name of columns.keys()) values.set(name, new Set());
  for (const columns of all) for (const [name, found] of values) found.add(columns.get(name) ?? null);
  return [...values].map(([name, found]) => ({ name, values: [...found] }));
}

/** Rows that repeat a point of their file, and those that repeat a point of an earlier file. */
function overwritesOf(counts: readonly { readonly name: string; readonly count: SeriesProfile }[]): Overwrites {
  const owners = new Map<number, string>();
  let acrossFiles = 0;
  let example: Overwrites['example'];
  for (const { name, count } of counts) {
    for (const point of count.points) {
      const owner = owners.get(point);
      if (owner === undefined) owners.set(point, name);
      else {
        acrossFiles++;
        example ??= [owner, name];
      }
    }
  }
  const inFiles = counts.reduce((sum, { count }) => sum + count.duplicates, 0);
  return { inFiles, acrossFiles, ...(example && { example }) };
}

/** The dataset that all paths name: the mapping takes its name, and so replaces a built-in one. Undefined if they name none, or several. */
function datasetOfPaths(keys: readonly string[]): string | undefined {
  const [name, ...others] = new Set(keys.map((key) => detected(key, undefined)));
  return others.length === 0 ? name : undefined;
}

/** The dataset that a load detects from a key, with `own` as the name of the user's mapping; undefined for none, or several. */
function detected(key: string, own: string | undefined): string | undefined {
  const [template] = BUILT_IN_MAPPINGS;
  const ownMapping = template && own !== undefined ? { ...template, name: own } : undefined;
  const mappings = [...BUILT_IN_MAPPINGS.filter(({ name }) => name !== own), ...(ownMapping ? [ownMapping] : [])];
  try {
    return detectDataset(key, mappings, undefined, { fallback: ownMapping }).name;
  } catch (error) {
    if (error instanceof DataConversionError) return undefined;
    throw error;
  }
}
