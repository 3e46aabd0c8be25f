/** What becomes of each message of a run, and when a run ends. */

import type { Repetition } from 'shared/loads/repeat';
import type { DeadLetterMessage } from '../../../functions/redrive-dead-letters/message';
import { type MessageQueue, type RunTime, redrive, survey } from '../../../functions/redrive-dead-letters/redrive';
import type { Loads, ReplayTargets } from '../../../functions/redrive-dead-letters/replay';
import { recordingLogger } from '../../support/influx-writing';
import { VirtualClock } from '../../support/virtual-clock';

const BOUNDS = {
  messagesPerSecond: 10,
  maxMessages: 1_000,
  maxTries: 3,
  timeoutsMs: { write: 30_000, object: 600_000 },
};
const UNTIL = new AbortController().signal;
const NO_END = () => Number.POSITIVE_INFINITY;
const WORKFLOW = 'arn:aws:states:us-east-1:123456789012:stateMachine:BulkLoad';
const MIGRATION = 'arn:aws:states:us-east-1:123456789012:stateMachine:Migrate';

interface NumberedMessage extends DeadLetterMessage {
  readonly number: number;
}

/** A queue in memory; as in SQS, a message that was put back comes later than this run. */
class Messages implements MessageQueue<NumberedMessage> {
  readonly waiting: NumberedMessage[];
  readonly hidden = new Map<number, NumberedMessage>();
  readonly back: { message: NumberedMessage; reason: string }[] = [];
  readonly parked: { message: NumberedMessage; reason: string }[] = [];
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
    const message = this.waiting.shift();
    if (message) this.hidden.set(message.number, message);
    return Promise.resolve(message);
  }

  delete({ number }: NumberedMessage) {
    if (this.undeletable) return Promise.reject(new Error('the queue keeps all'));
    return Promise.resolve(void this.hidden.delete(number));
  }

  putBack(message: NumberedMessage, reason: string) {
    if (this.full) return Promise.reject(new Error('the queue takes none'));
    return Promise.resolve(void this.back.push({ message, reason }));
  }

  park(message: NumberedMessage, reason: string) {
    return Promise.resolve(void this.parked.push({ message, reason }));
  }

  release({ number }: NumberedMessage) {
    const message = this.hidden.get(number);
    this.hidden.delete(number);
    if (message) this.waiting.push(message);
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
  queue: Messages,
  changes: Partial<ReplayTargets> = {},
  bounds = BOUNDS,
  signal = UNTIL,
  clock = new VirtualClock(),
  { msLeft = NO_END, fromParking = false }: Partial<Pick<RunTime, 'msLeft'>> & { fromParking?: boolean } = {},
) {
  const replayed: unknown[] = [];
  const note = (event: unknown) => Promise.resolve(replayed.push(event));
  const targets = { write: note, loadObject: note, loads: undefined, ...changes };
  const services = {
    ...{ queue, targets, stateMachineArn: WORKFLOW, migrationArn: MIGRATION },
    ...{ fromParking, logger: recordingLogger(), clock },
  };
  return { replayed, clock, services, done: redrive(bounds, services, { signal, msLeft }) };
}

const failing = (name: string, message: string) => () => Promise.reject(Object.assign(new Error(message), { name }));

test('messages that are replayed are deleted, whatever their number', async () => {
  const queue = new Messages([...writes(30), { bucket: 'b', key: 'k' }]);
  const { done, replayed } = run(queue);
  expect(await done).toEqual({
    messages: 31,
    kinds: { write: 30, object: 1, load: 0, migration: 0, unreplayable: 0 },
    replayed: 31,
    putBack: 0,
    parked: 0,
    left: 0,
    ended: 'empty',
  });
  expect(replayed).toHaveLength(31);
  expect(queue.hidden.size).toBe(0);
});

test('a message is not deleted before its replay has ended', async () => {
  const queue = new Messages(writes(1));
  let end: () => void = () => undefined;
  const { done } = run(queue, { write: () => new Promise<void>((resolve) => (end = resolve)) });
  while (queue.hidden.size === 0) await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(queue.hidden.size).toBe(1);
  end();
  expect(await done).toMatchObject({ replayed: 1 });
  expect(queue.hidden.size).toBe(0);
});

test('a replay that fails puts the message back, unchanged, with its reason and one try more', async () => {
  const queue = new Messages(writes(1), 1);
  const { done } = run(queue, { write: failing('StorageUnavailableError', '2 points are not stored') });
  expect(await done).toMatchObject({ replayed: 0, putBack: 1, parked: 0 });
  const reason = 'StorageUnavailableError: 2 points are not stored';
  expect(queue.back).toEqual([
    { message: expect.objectContaining({ body: JSON.stringify(write(0)), tries: 2 }), reason },
  ]);
  expect(queue.hidden.size).toBe(0);
});

test('the third failure parks it', async () => {
  const queue = new Messages(writes(1), 2);
  const { done } = run(queue, { write: failing('StorageUnavailableError', 'no') });
  expect(await done).toMatchObject({ putBack: 0, parked: 1 });
  expect(queue.parked).toEqual([
    { message: expect.objectContaining({ tries: 3 }), reason: 'StorageUnavailableError: no' },
  ]);
});

test('what no replay can help is parked at once', async () => {
  const queue = new Messages(['nothing', { ...write(1), rejectedLines: ['why'] }]);
  const { done, replayed } = run(queue);
  expect(await done).toMatchObject({ replayed: 0, parked: 2, kinds: { unreplayable: 2 } });
  expect(replayed).toEqual([]);
  expect(queue.hidden.size).toBe(0);
});

test('the log has the number of the rejected lines, the attribute of the parked message their text', async () => {
  const line = 'weather,city=Lisbon temperature=';
  const rejectedLines = [`unable to parse '${line}': missing field value`, 'line 2: the point has no tags'];
  const queue = new Messages([{ ...write(1), body: line, rejectedLines }]);
  const { done, services } = run(queue);
  expect(await done).toMatchObject({ parked: 1 });
  expect(services.logger.entries).toEqual([
    {
      message: 'a message was parked',
      fields: { tries: 0, reason: '2 rejected lines, which must be fixed first' },
    },
  ]);
  expect(queue.parked.map(({ reason }) => reason)).toEqual([expect.stringContaining(line)]);
});

test('a message that cannot be moved stays where it is', async () => {
  const queue = new Messages(writes(1));
  queue.full = true;
  const { done } = run(queue, { write: failing('Error', 'no') });
  expect(await done).toMatchObject({ putBack: 0, left: 1 });
  expect(queue.hidden.size).toBe(1);
});

test('a message that cannot be deleted counts once, as left, whatever became of it', async () => {
  for (const [body, change] of [
    [write(0), {}],
    [write(0), { write: failing('Error', 'no') }],
    ['nothing', {}],
  ] as const) {
    const queue = new Messages([body]);
    queue.undeletable = true;
    const { done } = run(queue, change);
    expect(await done).toMatchObject({ messages: 1, replayed: 0, putBack: 0, parked: 0, left: 1 });
    expect(queue.hidden.size).toBe(1);
  }
});

test('no more messages a second than the bound, side by side', async () => {
  const { done, clock } = run(new Messages(writes(21)));
  await done;
  // The first one waits for nobody; each of the others, and each look at the empty queue, for a tenth of a second.
  expect(clock.now()).toBeGreaterThanOrEqual(2_000);
  expect(clock.now()).toBeLessThan(3_000);
});

test('a run ends after its messages', async () => {
  const queue = new Messages(writes(9));
  expect(await run(queue, {}, { ...BOUNDS, maxMessages: 5 }).done).toMatchObject({ messages: 5, ended: 'messages' });
  expect(queue.waiting).toHaveLength(4);
});

test.each([0, 1])('a run whose messages, %i, are fewer than its bound ends with the last one', async (count) => {
  const clock = new VirtualClock();
  const queue = new Messages(writes(count));
  const receive = queue.receive.bind(queue);
  // As SQS, which waits before it says that there is none, so that the others look at the bound meanwhile.
  queue.receive = async () => {
    await clock.delay(queue.waiting.length === 0 ? 1_000 : 0);
    return receive();
  };
  const { done } = run(queue, {}, { ...BOUNDS, maxMessages: count + 1 }, UNTIL, clock);
  expect(await done).toMatchObject({ messages: count, ended: 'empty' });
});

test('a replay that only the end of the run cut off is no try: the message stays hidden while its function goes on', async () => {
  const controller = new AbortController();
  const hanging: ReplayTargets['write'] = (_, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  const queue = new Messages(writes(20), 2);
  const { done } = run(queue, { write: hanging }, BOUNDS, controller.signal);
  while (queue.hidden.size < 4) await new Promise(setImmediate);
  controller.abort();
  expect(await done).toMatchObject({ messages: 4, putBack: 0, parked: 0, left: 4, ended: 'time' });
  expect(queue.waiting).toHaveLength(16);
  expect([...queue.hidden.values()].map(({ tries }) => tries)).toEqual([2, 2, 2, 2]);
});

describe('near the end of the run', () => {
  const object = { bucket: 'b', key: 'k' };
  /** A run of 900 s, of which so much is left once it has begun. */
  const begunWith = (left: number) => {
    let asked = 0;
    return { msLeft: () => (asked++ === 0 ? 900_000 : left) };
  };

  test('no replay is begun that may outlast it: its message is given back as it was, the others are replayed', async () => {
    const queue = new Messages([object, write(0), object]);
    const { done, replayed } = run(queue, {}, BOUNDS, UNTIL, undefined, begunWith(599_999));
    expect(await done).toMatchObject({ messages: 3, replayed: 1, left: 2, ended: 'empty' });
    expect(replayed).toEqual([write(0)]);
    expect(queue.waiting.map(({ number, tries }) => [number, tries])).toEqual([
      [0, 0],
      [2, 0],
    ]);
    expect(queue.hidden.size).toBe(0);
  });

  test.each([
    [600_000, 600_000, 1],
    [600_000, 599_999, 0],
    // Never would a run have time for these, so the first half minute has to do.
    [900_000, 870_000, 1],
    [900_000, 869_999, 0],
  ])('a function that may take %i ms is invoked with %i ms left: %i', async (timeout, left, count) => {
    const bounds = { ...BOUNDS, timeoutsMs: { write: 1, object: timeout } };
    const { done } = run(new Messages([object]), {}, bounds, UNTIL, undefined, begunWith(left));
    expect(await done).toMatchObject({ replayed: count, left: 1 - count });
  });

  test('loads are started, since nobody waits for them', async () => {
    const started: string[] = [];
    const loads = { start: (name: string) => Promise.resolve(started.push(name) > 0) } as unknown as Loads;
    const message = { ...load, detail: { ...load.detail, input: '{}' } };
    await run(new Messages([message]), { loads }, BOUNDS, UNTIL, undefined, begunWith(1)).done;
    expect(started).toHaveLength(1);
  });
});

test.each(['DataConversionError', 'InvalidEventError', 'ConfigurationError'])(
  'a replay that fails with %s is parked at once, as no other one can end otherwise',
  async (name) => {
    const queue = new Messages([{ bucket: 'b', key: 'k' }]);
    expect(await run(queue, { loadObject: failing(name, 'no such column') }).done).toMatchObject({ parked: 1 });
    expect(queue.parked).toEqual([
      { message: expect.objectContaining({ tries: 1 }), reason: `${name}: no such column` },
    ]);
  },
);

test('a run ends where everything fails, before it uses up the tries of all messages', async () => {
  const queue = new Messages(writes(200));
  const { done } = run(queue, { write: failing('TooManyRequestsException', 'slow down') });
  expect(await done).toMatchObject({ ended: 'failures' });
  expect(queue.waiting.length).toBeGreaterThan(180);
});

test('a run continues after permanent errors, since the target works', async () => {
  const queue = new Messages(Array.from({ length: 100 }, (_, n) => ({ bucket: 'b', key: `${n}` })));
  const { done } = run(queue, { loadObject: failing('DataConversionError', 'is corrupt') });
  expect(await done).toMatchObject({ parked: 100, ended: 'empty' });
});

test('a permanent error among other failures resets the count of failures', async () => {
  const bodies = [...writes(6), { bucket: 'b', key: 'k' }, ...writes(6), { bucket: 'b', key: 'k' }, ...writes(6)];
  const { done } = run(new Messages(bodies), {
    write: failing('TooManyRequestsException', 'slow down'),
    loadObject: failing('DataConversionError', 'is corrupt'),
  });
  expect(await done).toMatchObject({ messages: 20, putBack: 18, parked: 2, ended: 'empty' });
});

test('a queue that cannot be read fails the run', async () => {
  const queue = new Messages([]);
  queue.receive = () => Promise.reject(new Error('AccessDenied'));
  await expect(run(queue).done).rejects.toThrow('AccessDenied');
});

describe('a load', () => {
  const execution = {
    status: 'FAILED' as const,
    error: undefined,
    cause: undefined,
    started: undefined,
    ended: undefined,
  };
  const INPUT = '{"bucket":"b","prefix":"p/","clientToken":"t"}';
  const messageOf = (detail: object) => ({ ...load, detail: { ...load.detail, ...detail } });
  /** The workflow, which knows the input of the failed execution, and what its summary says. */
  const loadsWith = (known?: string, repetition?: Repetition | Error) => {
    const started: [string, string][] = [];
    const loads: Loads = {
      start: (name, input) => {
        const isNew = !started.some(([other]) => other === name);
        if (isNew) started.push([name, input]);
        return Promise.resolve(isNew);
      },
      describe: () => Promise.resolve(known === undefined ? undefined : ({ ...execution, input: known } as const)),
      countItems: () => Promise.resolve({ total: 0, done: 0, failed: 0 }),
      repetition: () => (repetition instanceof Error ? Promise.reject(repetition) : Promise.resolve(repetition)),
    };
    return { loads, inputs: () => started.map(([, input]): unknown => JSON.parse(input)) };
  };

  test('is started once, however often its message comes', async () => {
    const { loads, inputs } = loadsWith();
    const message = messageOf({ input: '{"plan":"s3://w/p"}' });
    expect(await run(new Messages([message, message]), { loads }).done).toMatchObject({ replayed: 2 });
    expect(inputs()).toEqual([{ plan: 's3://w/p' }]);
  });

  test('whose event lacks the input gets that of the failed execution, while there is one', async () => {
    const known = loadsWith(INPUT);
    await run(new Messages([load]), { loads: known.loads }).done;
    expect(known.inputs()).toEqual([JSON.parse(INPUT)]);

    const queue = new Messages([load]);
    await run(queue, { loads: loadsWith().loads }).done;
    expect(queue.back.map(({ reason }) => reason)).toEqual([expect.stringContaining('has expired')]);
  });

  describe('that ended incomplete', () => {
    const incomplete = messageOf({ error: 'LoadIncomplete', input: INPUT });
    const plan = 's3://work/loads/x/failed-items.jsonl';
    const repeatable = { plan, permanentReason: undefined };
    const corrupt = { plan, permanentReason: 'DataConversionError: is corrupt' };

    test('is repeated by its failed items alone, under the options that it had', async () => {
      const options = { dataset: 'generation', toleratedFailurePercentage: 5, maxConcurrency: 3 };
      const { loads, inputs } = loadsWith(undefined, repeatable);
      const messages = [
        incomplete,
        messageOf({ error: 'LoadIncomplete', input: JSON.stringify({ ...options, bucket: 'b' }) }),
      ];
      expect(await run(new Messages(messages), { loads }).done).toMatchObject({ replayed: 2 });
      expect(inputs()).toEqual([{ plan }, { ...options, plan }]);
    });

    test('is repeated whole where not all of it was planned', async () => {
      const { loads, inputs } = loadsWith(undefined, { plan: undefined, permanentReason: undefined });
      await run(new Messages([incomplete]), { loads }).done;
      expect(inputs()).toEqual([JSON.parse(INPUT)]);
    });

    test.each([
      [corrupt, 'DataConversionError: is corrupt'],
      [undefined, 'it has no summary'],
    ])('is parked at once where its summary says %j', async (repetition, reason) => {
      const queue = new Messages([incomplete]);
      const { loads, inputs } = loadsWith(undefined, repetition);
      expect(await run(queue, { loads }).done).toMatchObject({ parked: 1, putBack: 0 });
      expect(inputs()).toEqual([]);
      expect(queue.parked).toEqual([
        { message: expect.objectContaining({ tries: 0 }), reason: `a replay would fail in the same way: ${reason}` },
      ]);
    });

    test('is started again all the same by somebody who replays what is parked', async () => {
      const { loads, inputs } = loadsWith(undefined, corrupt);
      const options = { fromParking: true };
      await run(new Messages([incomplete]), { loads }, BOUNDS, UNTIL, undefined, options).done;
      expect(inputs()).toEqual([{ plan }]);
    });

    test('comes again where its summary cannot be read now', async () => {
      const queue = new Messages([incomplete]);
      const { loads } = loadsWith(undefined, new Error('slow down'));
      expect(await run(queue, { loads }).done).toMatchObject({ putBack: 1, parked: 0 });
    });
  });
});

describe('messages of a loader that is not configured', () => {
  const object = { bucket: 'b', key: 'k' };
  const aborted = { ...load, detail: { ...load.detail, status: 'ABORTED' } };
  const created = { 'detail-type': 'Object Created', detail: { bucket: { name: 'b' }, object: { key: 'k' } } };
  const messages = () => {
    const queue = new Messages([object, load, aborted, created, write(0)], 1);
    queue.waiting[3] = { ...queue.waiting[3], target: WORKFLOW } as NumberedMessage;
    return queue;
  };
  const start = (queue: Messages, mayHaveLoader: boolean) => {
    const { services } = run(new Messages([]), { loadObject: undefined });
    const own = { ...services, queue, stateMachineArn: undefined, mayHaveLoader };
    return { ...own, done: redrive(BOUNDS, own, { signal: UNTIL, msLeft: NO_END }) };
  };

  test('stay in the queue unchanged where the stack may have one', async () => {
    const queue = messages();
    const { done, logger } = start(queue, true);
    expect(await done).toMatchObject({ replayed: 1, left: 4, parked: 0, putBack: 0, kinds: { object: 1, load: 3 } });
    expect(queue.waiting.map(({ number, tries }) => [number, tries])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    expect([queue.back, queue.parked, queue.hidden.size]).toEqual([[], [], 0]);
    expect(logger.entries.map(({ fields }) => fields.reason)).toEqual([
      '--stack or --load-object-function is not set',
      ...Array(3).fill('--stack or --state-machine is not set'),
    ]);
  });

  test('are put back or parked where the stack has none', async () => {
    const { done } = start(messages(), false);
    expect(await done).toMatchObject({ replayed: 1, left: 0, parked: 2, putBack: 2 });
  });
});

describe('a survey', () => {
  const { services } = run(new Messages([]));
  const messages = [...writes(3), 'nothing', load];

  test('counts the messages and leaves them', async () => {
    const queue = new Messages(messages);
    const before = [...queue.waiting];
    expect(await survey(BOUNDS, { ...services, queue }, UNTIL)).toEqual({
      messages: 5,
      kinds: { write: 3, object: 0, load: 1, migration: 0, unreplayable: 1 },
    });
    expect(queue.waiting).toEqual(before);
    expect(queue.hidden.size).toBe(0);
    expect(await survey({ ...BOUNDS, maxMessages: 2 }, { ...services, queue }, UNTIL)).toMatchObject({ messages: 2 });
  });

  test('holds none of their texts until it gives them back', async () => {
    const queue = new Messages(messages);
    const release = jest.spyOn(queue, 'release');
    await survey(BOUNDS, { ...services, queue }, UNTIL);
    expect(release.mock.calls.map(([{ body }]) => body)).toEqual(messages.map(() => ''));
  });

  test('that is stopped gives back what it has', async () => {
    const stop = new AbortController();
    const queue = new Messages(messages);
    const receive = queue.receive.bind(queue);
    queue.receive = () => {
      if (queue.hidden.size === 1) stop.abort();
      return receive();
    };
    expect(await survey(BOUNDS, { ...services, queue }, stop.signal)).toMatchObject({ messages: 2 });
    expect([queue.waiting.length, queue.hidden.size]).toEqual([5, 0]);
  });
});

describe('a failed migration', () => {
  const event = (input: string | undefined) => ({
    'detail-type': 'Step Functions Execution Status Change',
    detail: { name: 'plant', stateMachineArn: MIGRATION, status: 'FAILED', error: 'MigrationIncomplete', input },
  });
  async function replayed(hasLedger: boolean, input: string | undefined) {
    const started: unknown[] = [];
    const start = (_name: string, text: string) => Promise.resolve(started.push(JSON.parse(text)) > 0);
    const queue = new Messages([event(input)]);
    const { done } = run(queue, { migrations: { start, hasLedger: () => Promise.resolve(hasLedger) } });
    return { summary: await done, started, parked: queue.parked };
  }

  test('goes on with its ledger; without one it starts again', async () => {
    const input = '{"database":"plant"}';
    expect((await replayed(true, input)).started).toEqual([{ resume: 'plant' }]);
    expect(await replayed(false, input)).toMatchObject({
      started: [{ database: 'plant' }],
      summary: { replayed: 1, kinds: { migration: 1 } },
    });
  });

  test('without a ledger and without an input is parked', async () => {
    const { started, parked } = await replayed(false, undefined);
    expect(started).toEqual([]);
    expect(parked[0]?.reason).toContain('no ledger');
  });
});
