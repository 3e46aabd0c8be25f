/** Worker threads and their jobs: one job per worker. A worker that crashed or was abandoned is never used again. */
import { Worker } from 'node:worker_threads';
import { DataConversionError, UnexpectedError } from '../errors';
import type { Fault, FromWorker, Job, ToWorker, WorkerStart } from './protocol';
import type { ParquetSource } from './source';

const RESULTS: readonly FromWorker['type'][] = ['metadata', 'survey', 'report', 'probed', 'profile', 'series'];

/** A row group that could not be decoded, with the decoder's message, which names no column. */
export class UndecodableError extends Error {
  constructor(
    readonly rowGroup: number,
    readonly reason: string,
  ) {
    super(reason);
  }
}

interface Thread {
  readonly worker: Worker;
  readonly reading: Int32Array;
  hasEnded: boolean;
}

/** A running job. Exactly one consumer calls `next` until a result comes or it throws, then `end`. */
export interface Session {
  next(): Promise<FromWorker>;
  send(message: ToWorker, transfer?: ArrayBuffer[]): void;
  end(): void;
}

export class WorkerPool {
  private readonly idle: Thread[] = [];
  private readonly busy = new Set<Thread>();

  constructor(private readonly workerFile: string) {}

  /**
   * Starts a job; the ranges that it requests are read from `source`. `next` rejects with a DataConversionError for an error in the
   * file, with an UndecodableError if the decoder named no column, with the source's own error if a range could not be read, and with
   * the signal's reason when aborted.
   */
  start(source: ParquetSource, job: Job, signal?: AbortSignal): Session {
    const thread = this.idle.pop() ?? this.spawn();
    this.busy.add(thread);
    thread.worker.ref();
    const abort = new AbortController();
    const messages = new Mailbox();
    let isDone = false;

    const onMessage = (message: FromWorker) => {
      if (message.type === 'read') {
        source
          .readRange(message.start, message.end, abort.signal)
          .then((bytes) => this.sendRange(thread, message.id, exactBuffer(source, bytes, message.end - message.start)))
          .catch((error: unknown) => messages.fail(error));
      } else if (message.type === 'failed') {
        // A failed inspection leaves nothing in flight. Any other failed job may still read or decode.
        isDone = job.kind === 'inspect';
        messages.fail(failure(source, thread, message.reason, message.fault));
      } else {
        isDone ||= RESULTS.includes(message.type);
        messages.put(message);
      }
    };
    const onError = (error: unknown) => messages.fail(crash(source, thread, error));
    const onExit = () => messages.fail(new UnexpectedError(`the Parquet worker ended while it read ${source.name}`));
    const onAbort = () => messages.fail(signal?.reason);
    thread.worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    else thread.worker.postMessage({ type: 'job', job } satisfies ToWorker);

    return {
      next: () => messages.take(),
      send: (message, transfer) => thread.worker.postMessage(message, transfer),
      end: () => {
        thread.worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        signal?.removeEventListener('abort', onAbort);
        abort.abort();
        this.release(thread, isDone);
      },
    };
  }

  async close(): Promise<void> {
    const threads = [...this.idle.splice(0), ...this.busy];
    this.busy.clear();
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  private spawn(): Thread {
    const reading = new SharedArrayBuffer(4);
    // Captured, as a panic prints a message and a stack of WebAssembly. The pool reports it as an error instead.
    const worker = new Worker(this.workerFile, { workerData: { reading } satisfies WorkerStart, stderr: true });
    const thread: Thread = { worker, reading: new Int32Array(reading), hasEnded: false };
    // An idle worker has no job that would notice its end.
    const onEnd = () => {
      thread.hasEnded = true;
      const index = this.idle.indexOf(thread);
      if (index >= 0) this.idle.splice(index, 1);
    };
    worker.on('error', onEnd).on('exit', onEnd);
    return thread;
  }

  private release(thread: Thread, isReusable: boolean): void {
    if (!this.busy.delete(thread)) return;
    if (isReusable && !thread.hasEnded && this.idle.length === 0) {
      thread.worker.unref();
      this.idle.push(thread);
    } else void thread.worker.terminate();
  }

  private sendRange({ worker }: Thread, id: number, bytes: ArrayBuffer): void {
    worker.postMessage({ type: 'range', id, bytes } satisfies ToWorker, [bytes]);
  }
}

/** Messages in order, for one consumer; a failure overtakes messages that still wait. */
class Mailbox {
  private readonly messages: FromWorker[] = [];
  private failure: { readonly error: unknown } | undefined;
  private wake = (): void => undefined;

  put(message: FromWorker): void {
    this.messages.push(message);
    this.wake();
  }

  fail(error: unknown): void {
    this.failure ??= { error };
    this.wake();
  }

  async take(): Promise<FromWorker> {
    for (;;) {
      if (this.failure) throw this.failure.error;
      const message = this.messages.shift();
      if (message) return message;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

/** The bytes in their own buffer, which can be transferred. */
function exactBuffer({ name }: ParquetSource, bytes: Uint8Array, expected: number): ArrayBuffer {
  if (bytes.length !== expected) {
    throw new DataConversionError(`${name}: truncated: ${bytes.length} of ${expected} bytes were received`, {
      object: name,
    });
  }
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === expected ? buffer : new Uint8Array(bytes).buffer;
}

function crash(source: ParquetSource, thread: Thread, error: unknown): Error {
  // By its text: an error from another thread may not be an instance of this thread's classes.
  const text = String(error);
  if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return failure(source, thread, 'reading it takes more memory than the loader has: give it more', 'file');
  }
  if (!text.startsWith('RuntimeError')) {
    return new UnexpectedError(`the Parquet worker crashed on ${source.name}: ${text}`, { cause: error });
  }
  return failure(source, thread, text, 'undecodable');
}

function failure({ name }: ParquetSource, { reading }: Thread, reason: string, fault: Fault): Error {
  const rowGroup = Atomics.load(reading, 0);
  if (fault === 'program') return new UnexpectedError(reason);
  if (fault === 'undecodable' && rowGroup >= 0) return new UndecodableError(rowGroup, reason);
  if (rowGroup < 0) return new DataConversionError(`${name}: ${reason}`, { object: name });
  return new DataConversionError(`${name}, row group ${rowGroup}: ${reason}`, { object: name, rowGroup });
}
