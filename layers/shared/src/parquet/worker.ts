/**
 * The worker thread that decodes Parquet and CSV, and encodes points. A corrupt page makes parquet-wasm panic outside of any promise: that ends
 * this thread, not the process.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { readFooter } from './footer';
import type { encodePoints } from './jobs';
import type { ParquetMetadata } from './metadata';
import type { Fault, FromWorker, Job, PointsJob, ToWorker, WorkerStart } from './protocol';
import type { ReadRange } from './ranged-blob';
import { UnreadableFile } from './unreadable';

if (!parentPort) throw new Error('this file is started as a worker thread by ParquetReader');
const port = parentPort;
const readingGroup = new Int32Array((workerData as WorkerStart).reading);

const waiting = new Map<number, (bytes: ArrayBuffer) => void>();
let nextId = 0;
let onTaken = (): void => undefined;
let wantsRejects = true;
const spares: ArrayBuffer[] = [];

port.on('message', (message: ToWorker) => {
  if (message.type === 'range') {
    waiting.get(message.id)?.(message.bytes);
    waiting.delete(message.id);
  } else if (message.type === 'taken') onTaken();
  else if (message.type === 'enough-rejects') wantsRejects = false;
  else if (message.type === 'spare') spares.push(message.buffer);
  else void run(message.job);
});

async function run(job: Job): Promise<void> {
  const reading = (rowGroup: number) => Atomics.store(readingGroup, 0, rowGroup);
  try {
    reading(-1);
    if (job.kind === 'points' && job.csv) {
      const { CsvTables } = await import('../csv/tables');
      const tables = new CsvTables(job.csv, rangesOf(job), job.file.size);
      send({ type: 'report', report: await (await import('./jobs')).encodePoints(tables, job, outputOf(job)) });
      return;
    }
    const metadata = readFooter(job.file.tail, job.file.size);
    if (job.kind === 'inspect') send({ type: 'metadata', metadata });
    else await decode(job, metadata, reading);
  } catch (error) {
    // Any panic leaves the module broken, whether or not a promise reports it.
    if (error instanceof Error && error.name === 'RuntimeError') throw error;
    send({ type: 'failed', reason: error instanceof Error ? error.message : String(error), fault: faultOf(error) });
  }
}

/** Loads the decoder with the first file to decode: planning does not need it, and loading takes 40 ms. */
async function decode(
  job: Exclude<Job, { kind: 'inspect' }>,
  metadata: ParquetMetadata,
  reading: (rowGroup: number) => void,
) {
  const [jobs, { ParquetTables }] = [await import('./jobs'), await import('./tables')];
  const tables = new ParquetTables(metadata, rangesOf(job), job.file.size, reading);
  if (job.kind === 'survey') send({ type: 'survey', survey: await jobs.surveyFile(tables, job) });
  else if (job.kind === 'points') send({ type: 'report', report: await jobs.encodePoints(tables, job, outputOf(job)) });
  else if (job.kind === 'profile') send({ type: 'profile', profile: await jobs.profileFile(tables, job) });
  else if (job.kind === 'series') send({ type: 'series', series: await jobs.countSeries(tables, job) });
  else {
    await jobs.probeColumn(tables, job);
    send({ type: 'probed' });
  }
}

/** Checks UndecodableRowGroup by name, because its class is loaded late. */
function faultOf(error: unknown): Fault {
  if (error instanceof UnreadableFile) return 'file';
  return error instanceof Error && error.name === 'UndecodableRowGroup' ? 'undecodable' : 'program';
}

/** Ranges in the file's end are in memory; all others are requested. */
function rangesOf({ file }: Job): ReadRange {
  const tailStart = file.size - file.tail.length;
  return (start, end) => {
    if (start >= tailStart) return Promise.resolve(file.tail.slice(start - tailStart, end - tailStart).buffer);
    const id = nextId++;
    send({ type: 'read', id, start, end });
    return new Promise((resolve) => waiting.set(id, resolve));
  };
}

/** Emits chunks and invalid rows, and pauses while too many messages wait for the consumer. */
function outputOf(job: PointsJob): Parameters<typeof encodePoints>[2] {
  let untaken = 0;
  let goOn = (): void => undefined;
  wantsRejects = true;
  onTaken = () => {
    untaken--;
    if (untaken < job.lookahead) goOn();
  };
  return {
    chunk(chunk) {
      untaken++;
      send({ type: 'chunk', chunk }, [chunk.buffer]);
    },
    spare: () => spares.pop(),
    rejects(rows, omitted) {
      untaken++;
      send({ type: 'rejects', rows, omitted });
    },
    wantsRejects: () => wantsRejects,
    pause() {
      if (untaken < job.lookahead) return undefined;
      return new Promise((resolve) => {
        goOn = resolve;
      });
    },
  };
}

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
