/** Reads Parquet files in worker threads: their metadata, facts about their columns, and their rows as batches of line protocol. */
import { type CsvFormat, csvColumns } from '../csv/format';
import type { FileProfile, SeriesProfile } from '../datasets/inference/profile';
import type { DatasetMapping } from '../datasets/mapping';
import { NO_PARTITIONS, type PartitionColumns } from '../datasets/partitions';
import { type ConcreteMapping, resolveMapping } from '../datasets/resolve';
import { DataConversionError } from '../errors';
import type { BatchLimits, LineBatch } from '../points/batch-buffer';
import { describeInvalid, type PointsReport, type RejectSink } from '../points/report';
import { columnsToRead, contestedNames, schemaProblems } from '../points/schema';
import { FileJobs, type OpenedFile, takeRejects } from './file-jobs';
import { columnNames, type ParquetMetadata } from './metadata';
import type { Job, SeriesJob, Survey } from './protocol';
import type { ParquetSource } from './source';

export interface ParquetReaderOptions {
  /** The bundled worker, `worker.ts` with everything but parquet-wasm. */
  readonly workerFile: string;
  /** Maximum compressed bytes of a row group's columns; 256 MB by default. Reading takes about three times as much memory. */
  readonly maxRowGroupBytes?: number;
}

export interface ReadPointsOptions {
  readonly limits: BatchLimits;
  /** If true, invalid rows are dropped and counted; if false, they fail the run before its first batch. */
  readonly dropInvalid: boolean;
  /** Whether a missing required column, or one of a wrong type, fails the run. */
  readonly validateSchema: boolean;
  /** Row groups to read; all by default. */
  readonly run?: { readonly firstRowGroup: number; readonly rowGroups: number };
  /** s since 1970: earlier points are counted in the report as `beforeKeepFrom`. */
  readonly keepFrom?: number | undefined;
  /** Whether the report has `distinct`, which takes time for each row; not by default. */
  readonly countDistinct?: boolean;
  /** `taken` of the file's survey. Without it the file is surveyed first, if its columns make that necessary. */
  readonly taken?: readonly string[];
  /** Columns that the file's key supplies; the file's own columns take precedence. Empty by default. */
  readonly partitions?: PartitionColumns;
  /** The format of a CSV file; undefined for Parquet. */
  readonly csv?: CsvFormat | undefined;
  /** Whether the rows are those of an export: empty rows are then not invalid, and the report has `empty` and `pointSet`. */
  readonly isExport?: boolean;
  /** Takes the invalid rows, such as a reject file. */
  readonly rejects?: RejectSink;
  readonly signal?: AbortSignal;
}

/** Batches to iterate over once, and then a report about the rows. */
export interface PointStream extends AsyncIterable<LineBatch> {
  /** @throws Error before the last batch was taken. */
  report(): PointsReport;
}

/** Chunks of 1 MB that may wait for the consumer: enough for decoding to go on while batches are sent. */
const LOOKAHEAD = 4;
const MAX_ROW_GROUP_BYTES = 256 * 1024 * 1024;

export class ParquetReader {
  private readonly jobs: FileJobs;

  constructor({ workerFile, maxRowGroupBytes = MAX_ROW_GROUP_BYTES }: ParquetReaderOptions) {
    this.jobs = new FileJobs(workerFile, maxRowGroupBytes);
  }

  /**
   * Reads a file's metadata by one ranged read (two for a large footer). Call it for many files at once: they share a worker.
   * @throws DataConversionError if it is not a complete Parquet file.
   */
  async inspect(source: ParquetSource, signal?: AbortSignal): Promise<ParquetMetadata> {
    return (await this.jobs.open(source, signal)).metadata;
  }

  /**
   * Finds facts that depend on the file's values: the names that the unit's fields use, and required columns without a value. It reads
   * only the columns that decide this and stops as soon as all is known: mostly within the first row group.
   * @throws DataConversionError for a file that cannot be read.
   */
  async survey(
    source: ParquetSource,
    mapping: DatasetMapping,
    options: { readonly signal?: AbortSignal; readonly partitions?: PartitionColumns } = {},
  ): Promise<Survey> {
    const opened = await this.jobs.open(source, options.signal);
    const concrete = concreteFor(source, opened, mapping);
    try {
      return await this.surveyOpened(source, opened, concrete, concrete.required, options);
    } catch (error) {
      throw await this.jobs.explained(error, source, opened, columnsOf(opened, concrete), options.signal);
    }
  }

  /**
   * Profiles all columns in a sample of the file's rows.
   * @param sampleRows rows of the sample
   * @throws DataConversionError for a file that cannot be read
   */
  async profile(source: ParquetSource, sampleRows: number, signal?: AbortSignal): Promise<FileProfile> {
    const { file, metadata } = await this.jobs.open(source, signal);
    const { maxRowGroupBytes } = this.jobs;
    const job: Job = { kind: 'profile', file, sampleRows, maxRowGroupBytes };
    const { profile } = await this.sampled(source, job, 'profile', metadata, signal);
    return { name: source.name, rows: metadata.rows, ...profile };
  }

  /** Counts the series in the sample that `profile` reads. @throws as profile does */
  async countSeries(
    source: ParquetSource,
    columns: Pick<SeriesJob, 'tags' | 'time' | 'partitions'>,
    sampleRows: number,
    signal?: AbortSignal,
  ): Promise<SeriesProfile> {
    const { file, metadata } = await this.jobs.open(source, signal);
    const { maxRowGroupBytes } = this.jobs;
    const job: Job = { kind: 'series', file, sampleRows, maxRowGroupBytes, ...columns };
    return (await this.sampled(source, job, 'series', metadata, signal)).series;
  }

  /**
   * Reads the rows of a run of row groups as batches of line protocol, in the file's order. While batches are consumed, a worker decodes
   * at most a few megabytes ahead; leaving the iteration early ends the worker.
   * @throws DataConversionError, while iterating: for an unreadable file (with the row group), for columns that do not fit (with
   *   `validateSchema`), and for invalid rows (without `dropInvalid`, before the first batch; with their counts and examples).
   */
  readPoints(source: ParquetSource, mapping: DatasetMapping, options: ReadPointsOptions): PointStream {
    let report: PointsReport | undefined;
    const iterate = () =>
      this.iterate(source, mapping, options, (done) => {
        report = done;
      });
    return {
      [Symbol.asyncIterator]: iterate,
      report() {
        if (!report) throw new Error('the report is available after the last batch');
        return report;
      },
    };
  }

  /** Ends all workers; running jobs fail. */
  async close(): Promise<void> {
    await this.jobs.close();
  }

  private async *iterate(
    source: ParquetSource,
    mapping: DatasetMapping,
    options: ReadPointsOptions,
    done: (report: PointsReport) => void,
  ): AsyncGenerator<LineBatch> {
    const opened = options.csv
      ? { file: { size: source.size, tail: new Uint8Array() }, metadata: csvMetadata(options.csv) }
      : await this.jobs.open(source, options.signal);
    const concrete = concreteFor(source, opened, mapping);
    try {
      yield* this.iterateOpened(source, opened, concrete, options, done);
    } catch (error) {
      throw await this.jobs.explained(error, source, opened, columnsOf(opened, concrete), options.signal);
    }
  }

  private async *iterateOpened(
    source: ParquetSource,
    opened: OpenedFile,
    mapping: ConcreteMapping,
    options: ReadPointsOptions,
    done: (report: PointsReport) => void,
  ): AsyncGenerator<LineBatch> {
    const { signal, rejects, partitions = NO_PARTITIONS } = options;
    const { metadata, file } = opened;
    if (options.validateSchema) refuseUnfit(source, schemaProblems(metadata.columns, mapping, partitions));
    const taken = options.taken ?? (await this.surveyOpened(source, opened, mapping, [], options)).taken;
    const job = {
      kind: 'points' as const,
      file,
      mapping,
      partitions,
      csv: options.csv,
      taken,
      firstRowGroup: options.run?.firstRowGroup ?? 0,
      rowGroups: options.run?.rowGroups ?? metadata.rowGroups.length,
      limits: options.limits,
      keepFrom: options.keepFrom,
      countDistinct: options.countDistinct ?? false,
      maxRowGroupBytes: this.jobs.maxRowGroupBytes,
      lookahead: LOOKAHEAD,
      isExport: options.isExport ?? false,
      rejects: rejects !== undefined,
    };
    if (!options.dropInvalid) {
      const { report } = await this.jobs.run(source, { ...job, dry: true }, 'report', signal, rejects);
      refuseInvalid(source, report);
    }

    const session = this.jobs.start(source, { ...job, dry: false }, signal);
    try {
      for (;;) {
        const message = await session.next();
        if (message.type === 'rejects') takeRejects(message, session, rejects);
        if (message.type === 'report') return done(message.report);
        if (message.type !== 'chunk') continue;
        const { buffer, batches } = message.chunk;
        let inUse = batches.length;
        const release = () => {
          inUse--;
          if (inUse === 0) session.send({ type: 'spare', buffer }, [buffer]);
        };
        let start = 0;
        for (const { end, lines } of batches) {
          yield { bytes: new Uint8Array(buffer, start, end - start), lines, release };
          start = end;
        }
        session.send({ type: 'taken' });
      }
    } finally {
      session.end();
    }
  }

  private async surveyOpened(
    source: ParquetSource,
    { file, metadata }: OpenedFile,
    mapping: ConcreteMapping,
    required: readonly string[],
    { signal, partitions = NO_PARTITIONS }: { readonly signal?: AbortSignal; readonly partitions?: PartitionColumns },
  ): Promise<Survey> {
    const contested = contestedNames(metadata.columns, mapping, partitions);
    if (contested.length === 0 && required.length === 0) return { taken: [], whollyNull: [] };
    const { maxRowGroupBytes } = this.jobs;
    const job: Job = { kind: 'survey', file, mapping, partitions, contested, required, maxRowGroupBytes };
    return (await this.jobs.runInTurn(source, job, 'survey', signal)).survey;
  }

  private async sampled<T extends 'profile' | 'series'>(
    source: ParquetSource,
    job: Job,
    type: T,
    metadata: ParquetMetadata,
    signal?: AbortSignal,
  ) {
    try {
      return await this.jobs.runInTurn(source, job, type, signal);
    } catch (error) {
      const names = metadata.columns.flatMap((column) => (column.type.kind === 'unusable' ? [] : [column.name]));
      throw await this.jobs.explained(error, source, { file: job.file, metadata }, names, signal);
    }
  }
}

const columnsOf = ({ metadata }: OpenedFile, mapping: ConcreteMapping): string[] =>
  columnsToRead(metadata.columns, mapping);

function concreteFor({ name }: ParquetSource, { metadata }: OpenedFile, mapping: DatasetMapping): ConcreteMapping {
  return resolveMapping(mapping, columnNames(metadata), name);
}

const csvMetadata = (format: CsvFormat): ParquetMetadata => ({ rows: 0, rowGroups: [], columns: csvColumns(format) });

function refuseUnfit({ name }: ParquetSource, problems: readonly string[]): void {
  if (problems.length > 0) throw new DataConversionError(`${name}: ${problems.join(', ')}`, { object: name });
}

function refuseInvalid({ name }: ParquetSource, { invalid }: PointsReport): void {
  if (invalid.length === 0) return;
  throw new DataConversionError(`${name}: ${describeInvalid(invalid)}; nothing of it was written`, {
    object: name,
    invalid,
  });
}
