/**
 * The worker thread in which Parquet is decoded and encoded. A corrupt page makes parquet-wasm panic outside of any promise: that
 * ends this thread, not the process.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { encodePoints, surveyFile } from './jobs';
import type { FromWorker, Job, PointsJob, ToWorker, WorkerStart } from './protocol';
import type { ReadRange } from './ranged-blob';
import { ParquetTables, UnreadableFile } from './tables';

if (!parentPort) throw new Error('this file is started as a worker thread by ParquetReader');
const port = parentPort;
const reading = new Int32Array((workerData as WorkerStart).reading);

const waiting = new Map<number, (bytes: ArrayBuffer) => void>();
let nextId = 0;
let onTaken = (): void => undefined;
const spares: ArrayBuffer[] = [];

port.on('message', (message: ToWorker) => {
  if (message.type === 'range') {
    waiting.get(message.id)?.(message.bytes);
    waiting.delete(message.id);
  } else if (message.type === 'taken') onTaken();
  else if (message.type === 'spare') spares.push(message.buffer);
  else void run(message.job);
});

async function run(job: Job): Promise<void> {
  try {
    const tables = await ParquetTables.open(rangesOf(job), job.file.size, (rowGroup) => {
      Atomics.store(reading, 0, rowGroup);
    });
    if (job.kind === 'inspect') send({ type: 'metadata', metadata: tables.metadata });
    else if (job.kind === 'survey') send({ type: 'survey', survey: await surveyFile(tables, job) });
    else send({ type: 'report', report: await encodePoints(tables, job, outputOf(job)) });
  } catch (error) {
    // A panic that does surface in a promise leaves the module as broken as one that does not.
    if (error instanceof Error && error.name === 'RuntimeError') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    send({ type: 'failed', reason, isData: error instanceof UnreadableFile });
  }
}

/** Ranges of the file's end are at hand, all others are asked for. */
function rangesOf({ file }: Job): ReadRange {
  const tailStart = file.size - file.tail.length;
  return (start, end) => {
    if (start >= tailStart) return Promise.resolve(file.tail.slice(start - tailStart, end - tailStart).buffer);
    const id = nextId++;
    send({ type: 'read', id, start, end });
    return new Promise((resolve) => waiting.set(id, resolve));
  };
}

/** Hands chunks over and pauses while too many of them have not been taken. */
function outputOf(job: PointsJob): Parameters<typeof encodePoints>[2] {
  let untaken = 0;
  let goOn = (): void => undefined;
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
    rejects: (rows) => send({ type: 'rejects', rows }),
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
