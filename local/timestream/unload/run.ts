/** Carries out an UNLOAD statement: reads the rows in chunks, writes the result files, then the metadata and the manifest. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { Catalog } from '../catalog';
import { validationError } from '../errors';
import { explained } from '../sql-advice';
import { type Rewritten, rewrite } from '../sql-rewrite';
import { type ColumnInfo, columnsOf } from '../sql-select';
import type { Store } from '../store';
import { csvFormat } from './csv';
import type { UnloadDestination } from './destination';
import { manifestOf, metadataOf } from './manifest';
import { parquetFormat } from './parquet';
import { Results } from './results';
import type { UnloadStatement } from './statement';

export interface Run {
  readonly statement: UnloadStatement;
  /** Names the files. */
  readonly query: string;
  readonly store: Store;
  readonly catalog: Catalog;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly destination: UnloadDestination;
  /** More rows cause the service's error for a query that is too large. */
  readonly maxRows: number;
  readonly signal: AbortSignal;
  /** Receives the rows so far and the rows of the query. */
  readonly progress: (rows: number, of: number) => void;
}

export interface Unloaded {
  readonly rows: number;
  readonly metadataFile: string;
  readonly manifestFile: string;
}

const TOO_LARGE = 'Query computation exceeds maximum available memory';
const TIMEOUT_MINUTES = 60;

/**
 * A query that fails leaves the files that it has written, and neither metadata nor a manifest.
 * @throws ValidationException if the query fails or a limit is exceeded
 */
export async function unload(run: Run): Promise<Unloaded> {
  const { statement, query, store, catalog, destination } = run;
  const { bucket, folder } = statement;
  await destination.assertUsable(bucket);
  const rewritten = rewrite(statement.select, catalog, run.nowMs);
  const [columns, results] = await store.reading(async (connection) => {
    const interrupt = () => connection.interrupt();
    run.signal.addEventListener('abort', interrupt);
    try {
      return await writeResults(run, rewritten, connection);
    } finally {
      run.signal.removeEventListener('abort', interrupt);
    }
  });

  const put = async (name: string, content: string): Promise<string> => {
    const key = `${folder}/${query}_${name}.json`;
    const object = await destination.create(bucket, key, statement);
    await object.write(Buffer.from(content));
    await object.close();
    return `s3://${bucket}/${key}`;
  };
  const metadataFile = await put('metadata', metadataOf(columns));
  const manifestFile = await put('manifest', manifestOf(statement, results.files));
  return { rows: results.files.reduce((sum, { rows }) => sum + rows, 0), metadataFile, manifestFile };
}

async function writeResults(
  { statement, query, catalog, destination, maxRows, signal, progress }: Run,
  rewritten: Rewritten,
  connection: DuckDBConnection,
): Promise<readonly [readonly ColumnInfo[], Results]> {
  const database = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw explained(error, rewritten, catalog);
    });
  signal.throwIfAborted();
  const counted = await database(connection.runAndReadAll(`SELECT count(*) FROM (${rewritten.sql})`));
  const total = Number(counted.value(0, 0));
  const rows = await database(connection.stream(rewritten.sql));
  const columns = columnsOf(rows, rewritten.names);
  assertColumns(columns, statement);

  const fileColumns = columns.slice(0, columns.length - statement.partitionedBy.length);
  const results = new Results({
    format: statement.format === 'CSV' ? csvFormat(fileColumns, statement) : parquetFormat(fileColumns, statement),
    columns,
    partitionColumns: statement.partitionedBy.length,
    maxFileBytes: statement.maxFileBytes,
    prefix: `${statement.folder}/results/`,
    query,
    create: (key) => destination.create(statement.bucket, key, statement),
  });
  const end = performance.now() + TIMEOUT_MINUTES * 60_000;
  try {
    let done = 0;
    for (;;) {
      const chunk = await database(rows.fetchChunk());
      if (chunk === null || chunk.rowCount === 0) break;
      signal.throwIfAborted();
      await results.add(chunk.getColumns() as DuckDBValue[][]);
      done += chunk.rowCount;
      progress(done, total);
      if (done > maxRows) throw validationError(TOO_LARGE);
      if (performance.now() > end) throw validationError(`The query ran longer than ${TIMEOUT_MINUTES} minutes.`);
    }
  } catch (error) {
    await results.close().catch(() => undefined);
    throw error;
  }
  await results.close();
  signal.throwIfAborted();
  return [columns, results];
}

function assertColumns(columns: readonly ColumnInfo[], { partitionedBy }: UnloadStatement): void {
  const names = columns.map(({ Name }) => Name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw validationError(`UNLOAD: the SELECT has the column ${twice} twice.`);
  // The service does not export these types.
  const unsupported = columns.find(({ Type: { ScalarType } }) => ScalarType === 'TIME' || ScalarType === 'UNKNOWN');
  if (unsupported !== undefined) {
    const { Name, Type } = unsupported;
    throw validationError(`UNLOAD: the column ${Name} has the type ${Type.ScalarType}, which cannot be exported.`);
  }
  const missing = partitionedBy.find((name) => !names.includes(name));
  if (missing !== undefined) {
    throw validationError(`UNLOAD: partitioned_by names ${missing}, which is not a column of the SELECT.`);
  }
  const last = names.slice(names.length - partitionedBy.length);
  if (partitionedBy.some((name, i) => name !== last[i])) {
    throw validationError(
      `UNLOAD: partitioned_by must name the last columns of the SELECT in their order: ${last.join(', ')}.`,
    );
  }
  if (partitionedBy.length === names.length) {
    throw validationError('UNLOAD: the SELECT needs a column that is not in partitioned_by.');
  }
}
