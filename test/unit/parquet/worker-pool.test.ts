/** Which workers run the next job: a worker that has ended or failed never does. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Job } from 'shared/parquet/protocol';
import { WorkerPool } from 'shared/parquet/worker-pool';
import { memorySource } from '../../support/parquet';

/** The workers that were started. */
const mockStarted: Worker[] = [];
jest.mock('node:worker_threads', () => {
  const actual = jest.requireActual<typeof import('node:worker_threads')>('node:worker_threads');
  class RecordedWorker extends actual.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      mockStarted.push(this);
    }
  }
  return { ...actual, Worker: RecordedWorker };
});

/** Fails an inspection and the column `fails`, reports a result for any other column, and exits when its chunk is taken. */
const WORKER = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ type, job }) => {
    if (type === 'taken') process.exit();
    const failed = { type: 'failed', reason: 'unreadable', fault: 'file' };
    parentPort.postMessage(job.kind === 'inspect' || job.column === 'fails' ? failed : { type: 'probed' });
  });`;

const folder = mkdtempSync(join(tmpdir(), 'worker-pool-'));
const workerFile = join(folder, 'worker.cjs');
writeFileSync(workerFile, WORKER);
afterAll(() => rmSync(folder, { recursive: true }));

const source = memorySource(new Uint8Array(0));
const file = { size: 0, tail: new Uint8Array(0) };
const probe = (column: string): Job => ({ kind: 'probe', file, rowGroup: 0, column, maxRowGroupBytes: 1 });

let pool: WorkerPool;
beforeEach(() => {
  mockStarted.length = 0;
  pool = new WorkerPool(workerFile);
});
afterEach(() => pool.close());

async function run(job: Job): Promise<string> {
  const session = pool.start(source, job);
  try {
    return (await session.next()).type;
  } catch (error) {
    return (error as Error).name;
  } finally {
    session.end();
  }
}

test('a worker runs the next job after a result', async () => {
  expect([await run(probe('a')), await run(probe('b'))]).toEqual(['probed', 'probed']);
  expect(mockStarted).toHaveLength(1);
});

test.each([
  ['while it is idle', true],
  ['between its result and the end of its job', false],
])('a worker that ends %s is replaced', async (_, isIdle) => {
  const session = pool.start(source, probe('a'));
  const exits = mockStarted.map((worker) => once(worker, 'exit'));
  expect(await session.next()).toEqual({ type: 'probed' });
  session.send({ type: 'taken' });
  if (isIdle) session.end();
  await Promise.all(exits);
  session.end();
  expect(await run(probe('b'))).toBe('probed');
  expect(mockStarted).toHaveLength(2);
});

test('a worker is replaced after a job that failed, but not after a failed inspection', async () => {
  expect([await run({ kind: 'inspect', file }), await run(probe('fails'))]).toEqual(
    new Array(2).fill('DataConversionError'),
  );
  expect(mockStarted).toHaveLength(1);
  expect(await run(probe('a'))).toBe('probed');
  expect(mockStarted).toHaveLength(2);
});
