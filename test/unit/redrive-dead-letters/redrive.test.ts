/** What becomes of each letter of a run, and when a run ends. */
import type { DeadLetter } from '../../../functions/redrive-dead-letters/letter';
import { type LetterQueue, redrive, survey } from '../../../functions/redrive-dead-letters/redrive';
import type { ReplayTargets } from '../../../functions/redrive-dead-letters/replay';
import { recordingLogger } from '../../influx-writing';
import { VirtualClock } from '../../virtual-clock';

const BOUNDS = { lettersPerSecond: 10, maxLetters: 1_000, maxTries: 3 };
const UNTIL = new AbortController().signal;
const WORKFLOW = 'arn:aws:states:us-east-1:123456789012:stateMachine:BulkLoad';

interface NumberedLetter extends DeadLetter {
  readonly number: number;
}

/** A queue in memory; as in SQS, a letter that was put back comes later than this run. */
class Letters implements LetterQueue<NumberedLetter> {
  readonly waiting: NumberedLetter[];
  readonly hidden = new Map<number, NumberedLetter>();
  readonly back: { letter: NumberedLetter; reason: string }[] = [];
  readonly parked: { letter: NumberedLetter; reason: string }[] = [];
  full = false;
  undeletable = false;

  constructor(bodies: readonly unknown[], tries = 0) {
    this.waiting = bodies.map((body, number) => ({
      number,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      firstSent: 1,
      tries,
      target: undefined,
    }));
  }

  receive() {
    const letter = this.waiting.shift();
    if (letter) this.hidden.set(letter.number, letter);
    return Promise.resolve(letter);
  }

  delete({ number }: NumberedLetter) {
    if (this.undeletable) return Promise.reject(new Error('the queue keeps all'));
    return Promise.resolve(void this.hidden.delete(number));
  }

  putBack(letter: NumberedLetter, reason: string) {
    if (this.full) return Promise.reject(new Error('the queue takes none'));
    return Promise.resolve(void this.back.push({ letter, reason }));
  }

  park(letter: NumberedLetter, reason: string) {
    return Promise.resolve(void this.parked.push({ letter, reason }));
  }

  release({ number }: NumberedLetter) {
    const letter = this.hidden.get(number);
    this.hidden.delete(number);
    if (letter) this.waiting.push(letter);
    return Promise.resolve();
  }
}

const write = (n: number) => ({ asynchronous: true, body: `m,t=1 v=${n}`, requestContext: { requestTimeEpoch: 1 } });
const writes = (count: number) => Array.from({ length: count }, (_, n) => write(n));
const load = {
  'detail-type': 'Step Functions Execution Status Change',
  detail: { name: 'x', stateMachineArn: WORKFLOW },
};

function run(
  queue: Letters,
  changes: Partial<ReplayTargets> = {},
  bounds = BOUNDS,
  signal = UNTIL,
  clock = new VirtualClock(),
) {
  const replayed: unknown[] = [];
  const note = (event: unknown) => Promise.resolve(replayed.push(event));
  const targets = { write: note, loadObject: note, executions: undefined, ...changes };
  const services = { queue, targets, stateMachineArn: WORKFLOW, logger: recordingLogger(), clock };
  return { replayed, clock, services, done: redrive(bounds, services, signal) };
}

const failing = (name: string, message: string) => () => Promise.reject(Object.assign(new Error(message), { name }));

test('letters that are replayed are deleted, whatever their number', async () => {
  const queue = new Letters([...writes(30), { bucket: 'b', key: 'k' }]);
  const { done, replayed } = run(queue);
  expect(await done).toEqual({
    letters: 31,
    kinds: { write: 30, object: 1, load: 0, unreplayable: 0 },
    replayed: 31,
    putBack: 0,
    parked: 0,
    left: 0,
    ended: 'empty',
  });
  expect(replayed).toHaveLength(31);
  expect(queue.hidden.size).toBe(0);
});

test('a letter is not deleted before its replay has ended', async () => {
  const queue = new Letters(writes(1));
  let end: () => void = () => undefined;
  const { done } = run(queue, { write: () => new Promise<void>((resolve) => (end = resolve)) });
  while (queue.hidden.size === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(queue.hidden.size).toBe(1);
  end();
  expect(await done).toMatchObject({ replayed: 1 });
  expect(queue.hidden.size).toBe(0);
});

test('a replay that fails puts the letter back, unchanged, with its reason and one try more', async () => {
  const queue = new Letters(writes(1), 1);
  const { done } = run(queue, { write: failing('StorageUnavailableError', '2 points are not stored') });
  expect(await done).toMatchObject({ replayed: 0, putBack: 1, parked: 0 });
  const reason = 'StorageUnavailableError: 2 points are not stored';
  expect(queue.back).toEqual([
    { letter: expect.objectContaining({ body: JSON.stringify(write(0)), tries: 2 }), reason },
  ]);
  expect(queue.hidden.size).toBe(0);
});

test('the third failure parks it', async () => {
  const queue = new Letters(writes(1), 2);
  const { done } = run(queue, { write: failing('StorageUnavailableError', 'no') });
  expect(await done).toMatchObject({ putBack: 0, parked: 1 });
  expect(queue.parked).toEqual([
    { letter: expect.objectContaining({ tries: 3 }), reason: 'StorageUnavailableError: no' },
  ]);
});

test('what no replay can help is parked at once', async () => {
  const queue = new Letters(['nothing', { ...write(1), rejectedLines: ['why'] }]);
  const { done, replayed } = run(queue);
  expect(await done).toMatchObject({ replayed: 0, parked: 2, kinds: { unreplayable: 2 } });
  expect(replayed).toEqual([]);
  expect(queue.hidden.size).toBe(0);
});

test('a letter that cannot be moved stays where it is', async () => {
  const queue = new Letters(writes(1));
  queue.full = true;
  const { done } = run(queue, { write: failing('Error', 'no') });
  expect(await done).toMatchObject({ putBack: 0, left: 1 });
  expect(queue.hidden.size).toBe(1);
});

test('a letter that cannot be deleted counts once, as left, whatever became of it', async () => {
  for (const [body, change] of [
    [write(0), {}],
    [write(0), { write: failing('Error', 'no') }],
    ['nothing', {}],
  ] as const) {
    const queue = new Letters([body]);
    queue.undeletable = true;
    const { done } = run(queue, change);
    expect(await done).toMatchObject({ letters: 1, replayed: 0, putBack: 0, parked: 0, left: 1 });
    expect(queue.hidden.size).toBe(1);
  }
});

test('no more letters a second than the bound, side by side', async () => {
  const { done, clock } = run(new Letters(writes(21)));
  await done;
  // The first one waits for nobody; each of the others, and each look at the empty queue, for a tenth of a second.
  expect(clock.now()).toBeGreaterThanOrEqual(2_000);
  expect(clock.now()).toBeLessThan(3_000);
});

test('a run ends after its letters', async () => {
  const queue = new Letters(writes(9));
  expect(await run(queue, {}, { ...BOUNDS, maxLetters: 5 }).done).toMatchObject({ letters: 5, ended: 'letters' });
  expect(queue.waiting).toHaveLength(4);
});

test.each([0, 1])('a run whose letters, %i, are fewer than its bound ends with the last one', async (count) => {
  const clock = new VirtualClock();
  const queue = new Letters(writes(count));
  const receive = queue.receive.bind(queue);
  // As SQS, which waits before it says that there is none, so that the others look at the bound meanwhile.
  queue.receive = async () => {
    await clock.delay(queue.waiting.length === 0 ? 1_000 : 0);
    return receive();
  };
  const { done } = run(queue, {}, { ...BOUNDS, maxLetters: count + 1 }, UNTIL, clock);
  expect(await done).toMatchObject({ letters: count, ended: 'empty' });
});

test('a run ends with its time, and the replay under way is put back', async () => {
  const controller = new AbortController();
  const hanging: ReplayTargets['write'] = (_, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  const queue = new Letters(writes(20));
  const { done } = run(queue, { write: hanging }, BOUNDS, controller.signal);
  while (queue.hidden.size < 4) await new Promise(setImmediate);
  controller.abort();
  expect(await done).toMatchObject({ letters: 4, putBack: 4, ended: 'time' });
  expect(queue.waiting).toHaveLength(16);
});

test('a run ends where everything fails, before it uses up the tries of all letters', async () => {
  const queue = new Letters(writes(200));
  const { done } = run(queue, { write: failing('TooManyRequestsException', 'slow down') });
  expect(await done).toMatchObject({ ended: 'failures' });
  expect(queue.waiting.length).toBeGreaterThan(180);
});

test('a queue that cannot be read fails the run', async () => {
  const queue = new Letters([]);
  queue.receive = () => Promise.reject(new Error('AccessDenied'));
  await expect(run(queue).done).rejects.toThrow('AccessDenied');
});

describe('a load', () => {
  const execution = { status: 'FAILED', error: undefined, cause: undefined, started: undefined, ended: undefined };
  const executionsOf = (known: string | undefined) => {
    const started: [string, string][] = [];
    const start = (name: string, input: string) => {
      const isNew = !started.some(([other]) => other === name);
      if (isNew) started.push([name, input]);
      return Promise.resolve(isNew);
    };
    const describe = () => Promise.resolve(known === undefined ? undefined : ({ ...execution, input: known } as const));
    const countItems = () => Promise.resolve({ total: 0, done: 0, failed: 0 });
    return { started, executions: { start, describe, countItems } as ReplayTargets['executions'] };
  };

  test('is started once, however often its letter comes', async () => {
    const { started, executions } = executionsOf(undefined);
    const letter = { ...load, detail: { ...load.detail, input: '{"plan":"s3://w/p"}' } };
    expect(await run(new Letters([letter, letter]), { executions }).done).toMatchObject({ replayed: 2 });
    expect(started).toEqual([[expect.stringMatching(/^redrive-1-/), '{"plan":"s3://w/p"}']]);
  });

  test('whose event lacks the input gets that of the failed execution, while there is one', async () => {
    const known = executionsOf('{"bucket":"b","prefix":"p"}');
    await run(new Letters([load]), { executions: known.executions }).done;
    expect(known.started.map(([, input]) => input)).toEqual(['{"bucket":"b","prefix":"p"}']);

    const queue = new Letters([load]);
    await run(queue, { executions: executionsOf(undefined).executions }).done;
    expect(queue.back.map(({ reason }) => reason)).toEqual([expect.stringContaining('is not known any more')]);
  });
});

describe('a survey', () => {
  const { services } = run(new Letters([]));
  const letters = [...writes(3), 'nothing', load];

  test('counts the letters and leaves them', async () => {
    const queue = new Letters(letters);
    const before = [...queue.waiting];
    expect(await survey(BOUNDS, { ...services, queue }, UNTIL)).toEqual({
      letters: 5,
      kinds: { write: 3, object: 0, load: 1, unreplayable: 1 },
    });
    expect(queue.waiting).toEqual(before);
    expect(queue.hidden.size).toBe(0);
    expect(await survey({ ...BOUNDS, maxLetters: 2 }, { ...services, queue }, UNTIL)).toMatchObject({ letters: 2 });
  });

  test('holds none of their texts until it gives them back', async () => {
    const queue = new Letters(letters);
    const release = jest.spyOn(queue, 'release');
    await survey(BOUNDS, { ...services, queue }, UNTIL);
    expect(release.mock.calls.map(([{ body }]) => body)).toEqual(letters.map(() => ''));
  });

  test('that is stopped gives back what it has', async () => {
    const stop = new AbortController();
    const queue = new Letters(letters);
    const receive = queue.receive.bind(queue);
    queue.receive = () => {
      if (queue.hidden.size === 1) stop.abort();
      return receive();
    };
    expect(await survey(BOUNDS, { ...services, queue }, stop.signal)).toMatchObject({ letters: 2 });
    expect([queue.waiting.length, queue.hidden.size]).toEqual([5, 0]);
  });
});
