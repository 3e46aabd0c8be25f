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
import { SAMPLE_LIMITS, spread } from 'shared/parquet/sample';
import { listFiles } from './source';

/** Files whose paths are looked at. */
const MAX_FILES = 10_000;
/** Files whose rows are sampled. */
const SAMPLED_FILES = 8;

export interface InferOptions extends InferenceChoices {
  readonly measurement?: string | undefined;
}

export interface InferredLoad extends Inference {
  /** Of the sampled files. */
  readonly rows: number;
  readonly sampledRows: number;
  readonly files: number;
  readonly sampledFiles: number;
  readonly series: number;
  /** Sampled rows whose tags and time an earlier row of their file has. */
  readonly duplicates: number;
  /** Whether the paths of the files name another dataset, or several, so that a load has to name this one. */
  readonly needsDataset: boolean;
}

/** @throws UsageError or DataConversionError that says what to change */
export async function inferFromSources(
  sources: readonly string[],
  options: InferOptions,
  signal: AbortSignal,
): Promise<InferredLoad> {
  const { files, objects } = await listFiles(sources, MAX_FILES);
  // The bundler puts the worker beside the program.
  const reader = new ParquetReader({ workerFile: join(__dirname, 'parquet-worker.cjs') });
  try {
    const sampled = spread(files, SAMPLED_FILES);
    const sampleRows = Math.ceil(SAMPLE_LIMITS.rows / sampled.length);
    const profiles: FileProfile[] = [];
    for (const file of sampled) {
      const profile = await withSource(objects, file, (source) => reader.profile(source, sampleRows, signal));
      profiles.push({ ...profile, folders: foldersOf(file, objects) });
    }
    const keys = files.map((file) => file.key);
    const measurement = options.measurement ?? measurementOf(files.map((file) => objects.pathOf?.(file) ?? file.key));
    const inference = inferMapping(profiles, pathColumns(files, objects), measurement, options);
    const name = datasetOfPaths(keys) ?? inference.mapping.name;
    const mapping = { ...inference.mapping, name };
    const { time, tags } = mapping;
    const columns = {
      time: time.column,
      tags: tags.optional.map((tag) => (typeof tag === 'string' ? tag : tag.column)),
    };
    const all = new Set<string>();
    let duplicates = 0;
    for (const file of sampled) {
      const count = await withSource(objects, file, (source) =>
        reader.countSeries(source, columns, sampleRows, signal),
      );
      duplicates += count.duplicates;
      for (const series of seriesOf(count, file, objects, columns.tags)) all.add(series);
    }
    return {
      ...inference,
      mapping,
      rows: profiles.reduce((sum, profile) => sum + profile.rows, 0),
      sampledRows: profiles.reduce((sum, profile) => sum + profile.sampledRows, 0),
      files: files.length,
      sampledFiles: sampled.length,
      series: all.size,
      duplicates,
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

/** The series of a file: the tags of its rows and of its path. */
function seriesOf({ series }: SeriesProfile, file: ObjectRef, objects: ObjectStore, tags: readonly string[]): string[] {
  const columns = foldersOf(file, objects);
  const path = JSON.stringify(tags.map((tag) => columns.get(tag) ?? null));
  return series.map((each) => `${path}${each}`);
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
