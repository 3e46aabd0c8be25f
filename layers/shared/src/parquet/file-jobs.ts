/** Runs jobs on a file in worker threads, to their result or to an error that names the file and the column. */
import type { RejectSink } from '../points/report';
import type { ParquetMetadata } from './metadata';
import type { FileRef, FromWorker, Job } from './protocol';
import { boundedSource, type ParquetSource } from './source';
import { readTail } from './tail';
import { describeUndecodable } from './undecodable';
import { type Session, UndecodableError, WorkerPool } from './worker-pool';

/** A file with its end and the metadata in it. */
export interface OpenedFile {
  readonly file: FileRef;
  readonly metadata: ParquetMetadata;
}

/** Maximum ranges in flight per file. */
const CONCURRENT_RANGES = 4;

export class FileJobs {
  private readonly pool: WorkerPool;
  private shortJobs: Promise<unknown> = Promise.resolve();

  /**
   * @param workerFile the bundled worker
   * @param maxRowGroupBytes maximum compressed bytes of a row group's columns
   */
  constructor(
    workerFile: string,
    readonly maxRowGroupBytes: number,
  ) {
    this.pool = new WorkerPool(workerFile);
  }

  /** Ends all workers; running jobs fail. */
  async close(): Promise<void> {
    await this.pool.close();
  }

  async open(source: ParquetSource, signal?: AbortSignal): Promise<OpenedFile> {
    const file = { size: source.size, tail: await readTail(source, signal) };
    const { metadata } = await this.runInTurn(source, { kind: 'inspect', file }, 'metadata', signal);
    return { file, metadata };
  }

  /** Starts a job whose messages the caller takes. */
  start(source: ParquetSource, job: Job, signal?: AbortSignal): Session {
    return this.pool.start(boundedSource(source, CONCURRENT_RANGES), job, signal);
  }

  /** Runs a job to the message of its result. */
  async run<T extends FromWorker['type']>(
    source: ParquetSource,
    job: Job,
    type: T,
    signal?: AbortSignal,
    rejects?: RejectSink,
  ): Promise<Extract<FromWorker, { type: T }>> {
    // Aborting a job ends its worker, so a job that was aborted while it waited must not start one.
    signal?.throwIfAborted();
    const session = this.start(source, job, signal);
    try {
      for (;;) {
        const message = await session.next();
        if (message.type === 'rejects') takeRejects(message, session, rejects);
        if (message.type === type) return message as Extract<FromWorker, { type: T }>;
      }
    } finally {
      session.end();
    }
  }

  /** Runs a short job after those of other files, so that they share a worker. */
  runInTurn<T extends FromWorker['type']>(
    source: ParquetSource,
    job: Job,
    type: T,
    signal?: AbortSignal,
  ): Promise<Extract<FromWorker, { type: T }>> {
    const turn = this.shortJobs.then(() => this.run(source, job, type, signal));
    this.shortJobs = turn.catch(() => undefined);
    return turn;
  }

  /**
   * The error to throw for an error that was caught: if it names no column, the columns are decoded one by one.
   * @param columns that were read
   */
  async explained(
    error: unknown,
    source: ParquetSource,
    { file, metadata }: OpenedFile,
    columns: readonly string[],
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (!(error instanceof UndecodableError)) return error;
    const { rowGroup } = error;
    const { maxRowGroupBytes } = this;
    return await describeUndecodable(error, source.name, metadata, columns, (column) =>
      this.run(source, { kind: 'probe', file, rowGroup, column, maxRowGroupBytes }, 'probed', signal),
    );
  }
}

/** Passes invalid rows on, and lets the worker continue. */
export function takeRejects(
  { rows, omitted }: Extract<FromWorker, { type: 'rejects' }>,
  session: Session,
  rejects: RejectSink | undefined,
): void {
  for (const row of rows) rejects?.add(row);
  rejects?.omit(omitted);
  if (rejects?.isFull && rows.length > 0) session.send({ type: 'enough-rejects' });
  session.send({ type: 'taken' });
}
