/** Chooses the files whose rows `infer` samples, by the columns in the footers of all files. */
import type { FileProfile } from 'shared/datasets/inference/profile';
import { DataConversionError } from 'shared/errors';
import { inOrder } from 'shared/loads/in-order';
import type { ParquetMetadata } from 'shared/parquet/metadata';
import { spread } from 'shared/parquet/sample';
import { ColumnProfiler } from 'shared/points/column-profiler';

/** Files whose rows are sampled, and as many again for columns that these lack. */
const SAMPLED_FILES = 8;
/** Files whose footers are read. */
const MAX_FOOTERS = 1_000;
const CONCURRENT_FOOTERS = 16;

export interface SampledFiles<T> {
  readonly sampled: readonly T[];
  /** The columns of the files that are not sampled, as profiles without rows. */
  readonly others: readonly { readonly file: T; readonly profile: Omit<FileProfile, 'name'> }[];
  /** What was not read, for people. */
  readonly doubts: readonly string[];
}

/** Shared by the files with the same columns: a thousand wide footers would take much memory. */
interface Schema {
  /** Name and declared type of each column. */
  readonly keys: readonly string[];
  readonly columns: ParquetMetadata['columns'];
}

interface ReadableFile<T> {
  readonly file: T;
  readonly rows: number;
  readonly schema: Schema;
}

/**
 * @param inspect reads the footer of a file
 * @throws DataConversionError if no file can be read
 */
export async function chooseFiles<T>(
  files: readonly T[],
  inspect: (file: T) => Promise<ParquetMetadata>,
  nameOf: (file: T) => string,
): Promise<SampledFiles<T>> {
  const looked = spread(files, MAX_FOOTERS);
  const readable: ReadableFile<T>[] = [];
  const schemas = new Map<string, Schema>();
  const unreadable: { file: T; error: DataConversionError }[] = [];
  const read = async (file: T) => ({ file, ...(await attempt(() => inspect(file))) });
  for await (const { file, metadata, error } of inOrder(looked, CONCURRENT_FOOTERS, read)) {
    if (metadata) {
      const keys = metadata.columns.map(({ name, declared }) => JSON.stringify([name, declared]));
      const schema = schemas.get(keys.join()) ?? { keys, columns: metadata.columns };
      schemas.set(keys.join(), schema);
      readable.push({ file, rows: metadata.rows, schema });
    } else if (error) unreadable.push({ file, error });
  }
  const [first] = unreadable;
  if (readable.length === 0 && first) throw first.error;
  const sampled = withAllColumns(readable);
  const columnsOf = rowlessColumns();
  return {
    sampled: sampled.map(({ file }) => file),
    others: readable
      .filter((each) => !sampled.includes(each))
      .map(({ file, rows, schema }) => ({ file, profile: { rows, sampledRows: 0, columns: columnsOf(schema) } })),
    doubts: [
      ...(first ? [`${unreadable.length} of ${files.length} files cannot be read, such as ${nameOf(first.file)}`] : []),
      ...(looked.length < files.length
        ? [`the columns of ${files.length - looked.length} of ${files.length} files were not compared`]
        : []),
    ],
  };
}

async function attempt(
  inspect: () => Promise<ParquetMetadata>,
): Promise<{ metadata?: ParquetMetadata; error?: DataConversionError }> {
  try {
    return { metadata: await inspect() };
  } catch (error) {
    if (error instanceof DataConversionError) return { error };
    throw error;
  }
}

/** Files from all over the list, and then files with columns, or types of them, that no chosen file has. */
function withAllColumns<T>(files: readonly ReadableFile<T>[]): ReadableFile<T>[] {
  const chosen = spread(files, SAMPLED_FILES);
  const known = new Set(chosen.flatMap(({ schema }) => schema.keys));
  for (const file of files) {
    const { keys } = file.schema;
    if (chosen.length >= 2 * SAMPLED_FILES || keys.every((key) => known.has(key))) continue;
    chosen.push(file);
    for (const key of keys) known.add(key);
  }
  return chosen;
}

/** Returns a function that makes the profiles of a schema's columns once. */
function rowlessColumns(): (schema: Schema) => FileProfile['columns'] {
  const known = new Map<Schema, FileProfile['columns']>();
  return (schema) => {
    const columns = known.get(schema) ?? schema.columns.map((column) => new ColumnProfiler(column).profile(0));
    known.set(schema, columns);
    return columns;
  };
}
