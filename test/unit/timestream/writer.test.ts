/** How responses of Timestream settle the records of a call: retries, rejections, missing tables, the deadline. */
import { setMaxListeners } from 'node:events';
import { LineReport } from 'shared/line-report';
import { CallEncoder } from 'shared/timestream/packing';
import { mapLines } from 'shared/timestream/records';
import type { ServiceResponse, TableAdministration } from 'shared/timestream/service';
import { TableCreator, type TableSettings } from 'shared/timestream/tables';
import { writeRecords } from 'shared/timestream/writer';
import { DATABASE, MAPPING } from '../../support/connector-mapping';
import { serviceError, TABLES } from '../../support/connector-tables';
import { expandCall, type PlainCall } from '../../support/timestream-calls';
import { answer } from '../../support/timestream-model';
import { VirtualClock } from '../../support/virtual-clock';

const VERSION = 1_709_294_400_000;
const STORED: ServiceResponse = { status: 200, body: Buffer.from('{}') };
const MISSING = answer(404, 'ResourceNotFoundException', { Message: 'no table' });
const rejected = (...RejectedRecords: object[]) => answer(419, 'RejectedRecordsException', { RejectedRecords });

type Script = (call: PlainCall, index: number, signal: AbortSignal) => ServiceResponse | Promise<ServiceResponse>;

interface Setup {
  readonly settings?: Partial<TableSettings>;
  readonly maxNewTables?: number;
  readonly deadlineMs?: number;
  readonly random?: () => number;
  readonly createTable?: TableAdministration['createTable'];
  /** State of earlier requests in the same container. */
  readonly after?: { readonly tables: TableCreator; readonly clock: VirtualClock };
  readonly requestTime?: number;
}

/** Writes lines to a service that responds by the script. Returns the calls with their time, and the outcome. */
async function write(text: string, script: Script, setup: Setup = {}) {
  const clock = setup.after?.clock ?? new VirtualClock();
  const calls: { at: number; call: PlainCall }[] = [];
  const created: string[] = [];
  const administration: TableAdministration = {
    databaseExists: () => Promise.resolve(true),
    createDatabase: () => Promise.resolve(),
    createTable: (request, signal) => {
      created.push(String(request.TableName));
      return setup.createTable?.(request, signal) ?? Promise.resolve();
    },
  };
  const report = new LineReport();
  const { requestTime = VERSION } = setup;
  const records = mapLines(Buffer.from(text), { ...MAPPING, requestTime }, report);
  const tables =
    setup.after?.tables ??
    new TableCreator({ ...TABLES, ...setup.settings }, administration, clock, undefined, () => clock.now());
  const deadline = new AbortController();
  setMaxListeners(0, deadline.signal);
  if (setup.deadlineMs !== undefined) void clock.delay(setup.deadlineMs).then(() => deadline.abort());
  const send = async (body: Uint8Array, signal: AbortSignal): Promise<ServiceResponse> => {
    const call = expandCall(body);
    const index = calls.push({ at: clock.now(), call }) - 1;
    return await script(call, index, signal);
  };
  const { maxNewTables = 100, random = () => 0.5 } = setup;
  const options = { database: DATABASE, send, tables, maxNewTables, clock, random };
  const outcome = await writeRecords(records, VERSION, options, report, deadline.signal);
  const reasons = report.reasons().map(({ reason }) => reason);
  return { outcome: { ...outcome }, calls, created, reasons, clock, tables, rejectedLines: report.rejectedLines };
}

const LINES = 'm,t=1 v=1i 1\nm,t=1 v=2i 2\nm,t=1 v=3i 3';
const lines = (table: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${table},t=1 v=${n}i ${n}\n`).join('');

test('makes no call for a request without lines', async () => {
  const { outcome, calls } = await write('', () => STORED);
  expect(calls).toEqual([]);
  expect(outcome).toMatchObject({ calls: 0, stored: 0, unstored: 0 });
});

test('sends every record with the version of the request', async () => {
  const { calls, outcome } = await write(LINES, () => STORED);
  expect(calls.map(({ call }) => call.versions)).toEqual([[VERSION, VERSION, VERSION]]);
  expect(outcome).toMatchObject({ calls: 1, stored: 3, superseded: 0, unstored: 0, throttled: false });
});

describe('retries', () => {
  const THROTTLED = answer(400, 'ThrottlingException', { message: 'slow' });
  const delays = (calls: { at: number }[]) => calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? 0));

  test('have full jitter: half of 100, 200, 400, 800, 1600, 2000, 2000 ms for the random number 0.5', async () => {
    const { calls, outcome } = await write(LINES, (_, index) => (index < 7 ? THROTTLED : STORED));
    expect(delays(calls)).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
    expect(outcome).toMatchObject({ calls: 8, stored: 3, unstored: 0, throttled: false });
  });

  test('use a new random number each', async () => {
    const numbers = [0, 0.25, 0.75];
    const { calls } = await write(LINES, (_, index) => (index < 3 ? THROTTLED : STORED), {
      random: () => numbers.shift() ?? 0,
    });
    expect(delays(calls)).toEqual([0, 50, 300]);
  });

  test('send the same bytes', async () => {
    const { calls } = await write(LINES, (_, index) => (index < 2 ? answer(500, 'InternalServerException') : STORED));
    expect(calls.map(({ call }) => call)).toEqual([calls[0]?.call, calls[0]?.call, calls[0]?.call]);
  });

  test('start at once after the first lost connection, and with jitter after the next ones', async () => {
    const { calls, outcome } = await write(LINES, (_, index) => {
      if (index < 3) throw new Error('read ECONNRESET');
      return STORED;
    });
    expect(delays(calls)).toEqual([0, 100, 200]);
    expect(outcome.stored).toBe(3);
  });

  test('without a response and without a message of the error have its code as the reason', async () => {
    const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
    const { outcome } = await write(LINES, () => Promise.reject(refused), { deadlineMs: 1_000 });
    expect(outcome).toMatchObject({
      unstoredReason: 'no response from Timestream: ECONNREFUSED',
      failureCode: 'ECONNREFUSED',
    });
  });

  test('end at the deadline, and the outcome has the reason', async () => {
    const { calls, outcome, reasons, clock } = await write(LINES, () => THROTTLED, { deadlineMs: 3_000 });
    expect(outcome).toMatchObject({ stored: 0, unstored: 3, throttled: true, unstoredReason: 'slow' });
    expect(delays(calls)).toEqual([50, 100, 200, 400, 800, 1_000]);
    expect(clock.now()).toBe(3_000);
    expect(reasons).toEqual([]);
  });

  test.each(['AccessDeniedException', 'ServiceQuotaExceededException', 'InvalidEndpointException'])(
    'do not happen after %s: the points stay unstored',
    async (type) => {
      const { calls, outcome, reasons } = await write(LINES, () => answer(400, type, { message: 'no' }));
      expect(calls).toHaveLength(1);
      expect(outcome).toMatchObject({
        unstored: 3,
        throttled: false,
        unstoredReason: `${type}: no`,
        failureCode: type,
      });
      expect(reasons).toEqual([]);
    },
  );
});

describe('rejected records', () => {
  test('are reported by line, and the others are stored', async () => {
    const { outcome, reasons } = await write(LINES, () => rejected({ RecordIndex: 1, Reason: 'too old' }));
    expect(reasons).toEqual(['line 2: too old']);
    expect(outcome).toMatchObject({ stored: 2, unstored: 0 });
  });

  test('that consist of several lines are reported with each line', async () => {
    const { reasons } = await write(`${LINES}\nm,t=1 w=1i 2\nm,t=1 x=1i 2`, () =>
      rejected({ RecordIndex: 1, Reason: 'too old' }),
    );
    expect(reasons).toEqual(['line 2: too old', 'line 4: too old', 'line 5: too old']);
  });

  test('are reported with the right line in the second call of a table', async () => {
    const { reasons } = await write(lines('m', 150), (call) =>
      call.records.length === 50 ? rejected({ RecordIndex: 49, Reason: 'no' }) : STORED,
    );
    expect(reasons).toEqual(['line 150: no']);
  });

  test('count once if the response lists them twice', async () => {
    const twice = [
      { RecordIndex: 0, Reason: 'a' },
      { RecordIndex: 0, Reason: 'b' },
    ];
    const { outcome, reasons } = await write(LINES, () => rejected(...twice));
    expect(reasons).toEqual(['line 1: a']);
    expect(outcome.stored).toBe(2);
  });

  test('count as stored if Timestream has a newer version', async () => {
    const { outcome, reasons, calls } = await write(LINES, () =>
      rejected({ RecordIndex: 0, Reason: 'lower', ExistingVersion: VERSION + 1 }),
    );
    expect(reasons).toEqual([]);
    expect(calls).toHaveLength(1);
    expect(outcome).toMatchObject({ stored: 3, superseded: 1 });
  });

  test('are sent once more with the next version if Timestream has the same version', async () => {
    const equal = rejected({ RecordIndex: 2, Reason: 'equal', ExistingVersion: VERSION });
    const { outcome, calls } = await write(LINES, (_, index) => (index === 0 ? equal : STORED));
    expect(calls[1]?.call).toMatchObject({ versions: [VERSION + 1], records: [{ measures: { v: 'BIGINT 3' } }] });
    expect(outcome).toMatchObject({ stored: 3, unstored: 0 });
  });

  test('count as stored if Timestream has the next version too: it is as new or newer', async () => {
    const equal = (version: number) => rejected({ RecordIndex: 0, Reason: 'equal', ExistingVersion: version });
    const { outcome, calls, reasons } = await write(LINES, (call) => equal(call.versions[0] ?? 0));
    expect(calls).toHaveLength(2);
    expect(reasons).toEqual([]);
    expect(outcome).toMatchObject({ stored: 3, superseded: 1, unstored: 0 });
  });

  test('are reported if Timestream has a lower version, since the version is not the reason', async () => {
    const { reasons } = await write(LINES, () =>
      rejected({ RecordIndex: 0, Reason: 'odd', ExistingVersion: VERSION - 1 }),
    );
    expect(reasons).toEqual(['line 1: odd']);
  });
});

test('splits a refused call until the bad records are alone', async () => {
  const bad = new Set(['BIGINT 0', 'BIGINT 41', 'BIGINT 42', 'BIGINT 99']);
  const isBad = ({ records }: PlainCall) => records.some(({ measures }) => bad.has(measures.v ?? ''));
  const { outcome, reasons, calls } = await write(lines('m', 100), (call) =>
    isBad(call) ? answer(400, 'ValidationException', { message: 'bad record' }) : STORED,
  );
  expect(reasons).toEqual([1, 42, 43, 100].map((line) => `line ${line}: bad record`));
  expect(outcome).toMatchObject({ stored: 96, unstored: 0 });
  // At most four paths, each with four splits into four parts.
  expect(calls.length).toBeLessThanOrEqual(1 + 4 * 4 * 4);
});

describe('a table of invalid records', () => {
  const INVALID = answer(400, 'ValidationException', { message: 'bad record' });
  const CALL_MS = 10;
  /** Refuses calls to the table `bad`, unless `good` is true for all of their records. */
  const refusing =
    (clock: () => VirtualClock, good: (value: string | undefined) => boolean = () => false): Script =>
    async ({ table, records }, _, signal) => {
      await clock().delay(CALL_MS, signal);
      if (signal.aborted) throw new Error('aborted');
      return table === 'bad' && records.some(({ measures }) => !good(measures.v)) ? INVALID : STORED;
    };

  test('is rejected record by record, with fewer than 1.6 calls per record, after all other tables were written', async () => {
    const clock = new VirtualClock();
    const text = lines('bad', 1_000) + lines('good', 500);
    const { outcome, calls, rejectedLines } = await write(
      text,
      refusing(() => clock),
    );
    expect(rejectedLines).toBe(1_000);
    expect(outcome).toMatchObject({ stored: 500, unstored: 0 });
    expect(calls.length).toBeLessThan(1_600);
    const lastGood = Math.max(...calls.flatMap(({ call }, index) => (call.table === 'good' ? index : [])));
    expect(lastGood).toBeLessThan(15 + 10);
  });

  test('is settled by resends if it takes longer than the deadline: each resend knows the records refused before', async () => {
    const good = (value: string | undefined) => value === 'BIGINT 1234';
    const clock = new VirtualClock();
    const memory = () => new TableCreator(TABLES, noAdministration, clock, undefined, () => clock.now());
    const after = { tables: memory(), clock };
    const text = lines('bad', 2_000);
    const left: number[] = [];
    let stored = 0;
    for (let unstored = 1; unstored > 0 && left.length < 20; ) {
      const { outcome, rejectedLines } = await write(
        text,
        refusing(() => clock, good),
        { after, deadlineMs: 1_000 },
      );
      ({ unstored } = outcome);
      expect(rejectedLines + outcome.stored + unstored).toBe(2_000);
      stored = Math.max(stored, outcome.stored);
      left.push(unstored);
    }
    // A request has time for 1,000 calls, some of them for whole batches. So each resend settles hundreds of records.
    expect(left.length).toBeLessThan(6);
    expect([...left].sort((a, b) => b - a)).toEqual(left);
    expect(left.at(-1)).toBe(0);
    expect(stored).toBe(1);
  });

  test('is rejected without a call in a resend, also for lines without a timestamp', async () => {
    const clock = new VirtualClock();
    const after = { tables: new TableCreator(TABLES, noAdministration, clock, undefined, () => clock.now()), clock };
    const text = 'bad,t=1 v=1i\nbad,t=2 v=1i 5\n';
    const first = await write(
      text,
      refusing(() => clock),
      { after },
    );
    expect(first.rejectedLines).toBe(2);
    const again = await write(
      text,
      refusing(() => clock),
      { after, requestTime: VERSION + 20_000 },
    );
    expect(again.calls).toEqual([]);
    expect(again.reasons).toEqual(['line 1: bad record', 'line 2: bad record']);
  });

  test('does not affect other records: a record with another time, value, tag or measurement is sent', async () => {
    const clock = new VirtualClock();
    const after = { tables: new TableCreator(TABLES, noAdministration, clock, undefined, () => clock.now()), clock };
    await write(
      'bad,t=1 v=1i 5',
      refusing(() => clock),
      { after },
    );
    const others = 'bad,t=1 v=1i 6\nbad,t=1 v=2i 5\nbad,t=2 v=1i 5\nbad,t=1 w=1i 5\nother,t=1 v=1i 5';
    const { outcome } = await write(others, () => STORED, { after });
    expect(outcome).toMatchObject({ stored: 4, unstored: 0 });
    expect((await write('bad,t=1 v=1i 5', () => STORED, { after })).rejectedLines).toBe(1);
  });

  test('needs no record keys any more once its last refusal is five minutes old', async () => {
    const clock = new VirtualClock();
    const { memory } = new TableCreator(TABLES, noAdministration, clock, undefined, () => clock.now());
    memory.noteRefused('bad', 'first', 'no');
    await clock.delay(200_000);
    memory.noteRefused('bad', 'second', 'no');
    await clock.delay(299_999);
    expect([memory.hasRefused('bad'), memory.refusal('bad', 'first'), memory.refusal('bad', 'second')]).toEqual([
      true,
      undefined,
      'no',
    ]);
    await clock.delay(1);
    expect(memory.hasRefused('bad')).toBe(false);
  });

  test('is sent again after five minutes, and after its table was deleted', async () => {
    const clock = new VirtualClock();
    const after = { tables: new TableCreator(TABLES, noAdministration, clock, undefined, () => clock.now()), clock };
    await write(
      'bad,t=1 v=1i 5',
      refusing(() => clock),
      { after },
    );
    await clock.delay(300_000);
    const again = await write(
      'bad,t=1 v=1i 5',
      refusing(() => clock),
      { after },
    );
    expect(again).toMatchObject({ rejectedLines: 1, calls: { length: 1 } });
    await write('bad,t=9 v=9i 9', (_, index) => (index === 0 ? MISSING : STORED), { after });
    expect((await write('bad,t=1 v=1i 5', () => STORED, { after })).outcome.stored).toBe(1);
  });
});

const noAdministration: TableAdministration = {
  databaseExists: () => Promise.resolve(true),
  createDatabase: () => Promise.resolve(),
  createTable: () => Promise.resolve(),
};

test('counts nothing as stored and retries the call if a rejection does not match its records', async () => {
  const { outcome, calls } = await write(LINES, (_, index) =>
    index === 0 ? rejected({ RecordIndex: 0, Reason: 'old' }, { RecordIndex: 3, Reason: 'old' }) : STORED,
  );
  expect(calls).toHaveLength(2);
  expect(outcome).toMatchObject({ stored: 3, unstored: 0 });
  const never = await write(LINES, () => rejected({ RecordIndex: 3, Reason: 'old' }), { deadlineMs: 2_000 });
  expect(never.outcome).toMatchObject({ stored: 0, unstored: 3 });
});

test('an error that is no outcome of a call ends the run after its calls in progress, and no other call starts', async () => {
  const report = new LineReport({
    onLine: () => {
      throw new Error('no memory');
    },
  });
  const records = mapLines(Buffer.from(lines('m', 2_000)), { ...MAPPING, requestTime: VERSION }, report);
  const answers: ((response: ServiceResponse) => void)[] = [];
  const send = () => new Promise<ServiceResponse>((resolve) => answers.push(resolve));
  const options = { database: DATABASE, send, tables: new TableCreator(TABLES, noAdministration), maxNewTables: 100 };
  let hasEnded = false;
  const run = writeRecords(records, VERSION, options, report, new AbortController().signal).finally(() => {
    hasEnded = true;
  });
  const ended = expect(run).rejects.toThrow('no memory');
  expect(answers).toHaveLength(10);
  const [first, ...others] = answers;
  first?.(rejected({ RecordIndex: 0, Reason: 'too old' }));
  await new Promise(setImmediate);
  expect([hasEnded, answers.length]).toEqual([false, 10]);
  for (const answerCall of others) answerCall(STORED);
  await ended;
  expect(answers).toHaveLength(10);
});

test('ten failing calls do not delay the others: a failed call goes behind the new calls', async () => {
  const text = lines('bad', 1_000) + lines('good', 1_000);
  const { calls, outcome } = await write(
    text,
    ({ table }) => (table === 'bad' ? answer(500, 'InternalServerException') : STORED),
    { deadlineMs: 3_000 },
  );
  expect(outcome).toMatchObject({ stored: 1_000, unstored: 1_000, failureCode: 'InternalServerException' });
  expect(calls.slice(0, 20).map(({ call }) => call.table)).toEqual([
    ...Array<string>(10).fill('bad'),
    ...Array<string>(10).fill('good'),
  ]);
});

describe('a missing table', () => {
  /** The first call to each table finds it missing. */
  const missingFirst = (): Script => {
    const seen = new Set<string>();
    return ({ table }) => {
      if (seen.has(table)) return STORED;
      seen.add(table);
      return MISSING;
    };
  };

  test('is created once and stores its records', async () => {
    const { outcome, created, tables } = await write(lines('a', 1) + lines('b', 1), missingFirst());
    expect(created.sort()).toEqual(['a', 'b']);
    expect(outcome).toMatchObject({ stored: 2, unstored: 0 });
    expect([...tables.memory.existing].sort()).toEqual(['a', 'b']);
  });

  test('gets no further calls until it is created', async () => {
    let exists = false;
    const script: Script = () => (exists ? STORED : MISSING);
    const createTable = () => {
      exists = true;
      return Promise.resolve();
    };
    const { outcome, created } = await write(lines('a', 3_000), script, { createTable });
    expect(created).toEqual(['a']);
    // The first ten concurrent calls, and then each of the 30 calls once.
    expect(outcome).toMatchObject({ stored: 3_000, calls: 10 + 30 });
  });

  test('gets retries until it is active', async () => {
    const { outcome, created } = await write(LINES, (_, index) => (index < 4 ? MISSING : STORED));
    expect(created).toEqual(['m']);
    expect(outcome).toMatchObject({ stored: 3, calls: 5 });
  });

  test('leaves its records unstored if it is not active at the deadline', async () => {
    const { outcome } = await write(LINES, () => MISSING, { deadlineMs: 4_000 });
    expect(outcome).toMatchObject({ stored: 0, unstored: 3, unstoredReason: "table 'm' is not active yet" });
  });

  test('is not counted as new in a resend if it is not active yet', async () => {
    const clock = new VirtualClock();
    const after = { tables: new TableCreator(TABLES, noAdministration, clock, undefined, () => clock.now()), clock };
    const setup = { after, maxNewTables: 2 };
    await write(lines('a', 1) + lines('b', 1), () => MISSING, { ...setup, deadlineMs: 2_000 });
    const seen = new Set<string>();
    const script: Script = ({ table }) => {
      if (table === 'c' || seen.has(table)) return table === 'c' ? MISSING : STORED;
      seen.add(table);
      return MISSING;
    };
    const { outcome, reasons } = await write(lines('a', 1) + lines('b', 1) + lines('c', 1), script, {
      ...setup,
      deadlineMs: 4_000,
    });
    expect(reasons).toEqual([]);
    expect(outcome).toMatchObject({ stored: 2, unstored: 1, unstoredReason: "table 'c' is not active yet" });
  });

  test('leaves its records unstored if its creation fails; other tables are written', async () => {
    const createTable = () => Promise.reject(serviceError('AccessDeniedException', 'not allowed'));
    const script: Script = ({ table }) => (table === 'a' ? MISSING : STORED);
    const { outcome, reasons } = await write(lines('a', 2) + lines('b', 3), script, { createTable });
    expect(outcome).toMatchObject({
      stored: 3,
      unstored: 2,
      unstoredReason: "table 'a' could not be created: not allowed",
    });
    expect(reasons).toEqual([]);
  });

  test('has its lines rejected if the settings do not allow to create it', async () => {
    const { outcome, reasons } = await write(LINES, () => MISSING, { settings: { createTables: false } });
    expect(outcome).toMatchObject({ stored: 0, unstored: 0 });
    expect(reasons).toEqual(
      [1, 2, 3].map((n) => `line ${n}: table 'm' does not exist, and EnableTableCreation is false`),
    );
  });

  test('is not created if more than MaxNewTables are missing; the lines of all missing tables are rejected', async () => {
    const text = lines('known', 2) + lines('a', 1) + lines('b', 1) + lines('c', 1);
    const script: Script = ({ table }) => (table === 'known' ? STORED : MISSING);
    const { outcome, created, reasons } = await write(text, script, { maxNewTables: 2 });
    expect(created).toEqual([]);
    expect(reasons).toHaveLength(3);
    expect(reasons[0]).toMatch(/^line 3: MaxNewTables allows 2 new tables per request, but this request needs more/);
    expect(outcome).toMatchObject({ stored: 2, unstored: 0 });
  });

  test('does not affect existing tables if more than MaxNewTables are missing, even if they were unknown', async () => {
    const missing = ['a', 'b', 'c', 'd'].map((table) => lines(table, 1)).join('');
    const script: Script = ({ table }) => (table === 'old' ? STORED : MISSING);
    const { outcome, reasons } = await write(missing + lines('old', 2), script, { maxNewTables: 2 });
    expect(outcome).toMatchObject({ stored: 2, unstored: 0 });
    expect(reasons).toHaveLength(4);
  });

  test('does not affect existing tables if more than 3 x MaxNewTables are missing, even at the end of the request', async () => {
    const missing = Array.from({ length: 50 }, (_, n) => lines(`a${n}`, 1)).join('');
    const text = missing + lines('old', 150) + missing.replaceAll('a', 'b') + lines('older', 2);
    const script: Script = ({ table }) => (table.startsWith('old') ? STORED : MISSING);
    const { outcome, rejectedLines, created } = await write(text, script, { maxNewTables: 2 });
    expect(outcome).toMatchObject({ stored: 152, unstored: 0 });
    expect(rejectedLines).toBe(100);
    expect(created).toEqual([]);
  });

  test('leaves untried tables unstored if the deadline passes, and a resend tries them first', async () => {
    const text = Array.from({ length: 100 }, (_, n) => lines(`a${n}`, 1)).join('') + lines('old', 1);
    const clock = new VirtualClock();
    const after = { tables: new TableCreator(TABLES, noAdministration, clock, undefined, () => clock.now()), clock };
    const script: Script = async ({ table }, _, signal) => {
      await clock.delay(100, signal);
      if (signal.aborted) throw new Error('aborted');
      return table === 'old' ? STORED : MISSING;
    };
    const first = await write(text, script, { maxNewTables: 2, deadlineMs: 550, after });
    expect(first.outcome).toMatchObject({ stored: 0, unstored: 51 });
    expect(first.rejectedLines).toBe(50);
    const second = await write(text, script, { maxNewTables: 2, deadlineMs: 650, after });
    expect(second.outcome).toMatchObject({ stored: 1, unstored: 0 });
    expect(second.rejectedLines).toBe(100);
  });

  describe('that was remembered as missing, and exists now', () => {
    const hang: Script = (_call, _index, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const unavailable = { status: 503, body: Buffer.from('{}') };
    const throttled = answer(400, 'ThrottlingException', { message: 'slow' });
    const faults: [string, Script][] = [
      ['does not respond', hang],
      ['responds 503', () => unavailable],
      ['throttles', () => throttled],
    ];
    const text = Array.from({ length: 120 }, (_, n) => lines(`a${n}`, 1)).join('');
    const afterMissing = async () => {
      const clock = new VirtualClock();
      const after = { tables: new TableCreator(TABLES, noAdministration, clock, undefined, () => clock.now()), clock };
      expect((await write(text, () => MISSING, { after })).rejectedLines).toBe(120);
      return after;
    };

    test.each(faults)('has no line rejected if the service %s until the deadline', async (_, fault) => {
      const { outcome, reasons } = await write(text, fault, { after: await afterMissing(), deadlineMs: 1_500 });
      expect(reasons).toEqual([]);
      expect(outcome).toMatchObject({ stored: 0, unstored: 120 });
    });

    test('leaves its records unstored if its calls fail while more than MaxNewTables others are missing', async () => {
      const script: Script = ({ table }) => {
        if (table === 'a0') return unavailable;
        return table === 'a1' ? throttled : MISSING;
      };
      const { outcome, rejectedLines } = await write(text, script, { after: await afterMissing(), deadlineMs: 1_500 });
      expect(rejectedLines).toBe(118);
      expect(outcome).toMatchObject({ stored: 0, unstored: 2 });
    });
  });

  test('is created while other calls still fail', async () => {
    const clock = new VirtualClock();
    const text = lines('down', 1_000) + lines('new', 1);
    let created = Number.POSITIVE_INFINITY;
    const script: Script = ({ table }) => {
      if (table === 'down') return answer(500, 'InternalServerException');
      return created <= clock.now() ? STORED : MISSING;
    };
    const createTable = () => {
      created = clock.now();
      return Promise.resolve();
    };
    const tables = new TableCreator(TABLES, { ...noAdministration, createTable }, clock, undefined, () => clock.now());
    const { outcome } = await write(text, script, { deadlineMs: 3_000, after: { tables, clock } });
    expect(outcome).toMatchObject({ stored: 1, unstored: 1_000, missingTables: 0 });
    expect(created).toBeLessThan(100);
  });

  test('leaves the records of later calls unstored too after its creation failed', async () => {
    const createTable = () => Promise.reject(serviceError('AccessDeniedException', 'not allowed'));
    const { outcome } = await write(lines('a', 2_000), () => MISSING, { createTable });
    expect(outcome).toMatchObject({
      stored: 0,
      unstored: 2_000,
      missingTables: 1,
      failureCode: 'AccessDeniedException',
    });
  });

  test('is created if exactly MaxNewTables are missing', async () => {
    const { outcome, created } = await write(lines('a', 1) + lines('b', 1), missingFirst(), { maxNewTables: 2 });
    expect(created).toHaveLength(2);
    expect(outcome.stored).toBe(2);
  });
});

describe('the deadline', () => {
  test('aborts calls without a response, and no new calls start', async () => {
    const hang: Script = (_call, _index, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const { outcome, calls } = await write(lines('m', 3_000), hang, { deadlineMs: 500 });
    expect(calls).toHaveLength(10);
    expect(outcome).toMatchObject({ stored: 0, unstored: 3_000, calls: 10 });
  });

  test('starts no calls if it has already passed', async () => {
    const abort = new AbortController();
    abort.abort();
    const report = new LineReport();
    const records = mapLines(Buffer.from(LINES), MAPPING, report);
    const administration = { databaseExists: uncalled, createDatabase: uncalled, createTable: uncalled };
    const options = {
      database: DATABASE,
      send: uncalled,
      tables: new TableCreator(TABLES, administration),
      maxNewTables: 1,
    };
    const encode = jest.spyOn(CallEncoder.prototype, 'encode');
    const outcome = await writeRecords(records, VERSION, options, report, abort.signal);
    expect(encode).not.toHaveBeenCalled();
    expect(outcome).toMatchObject({ calls: 0, unstored: 3, unstoredReason: 'the deadline of the request had passed' });
  });
});

const uncalled = (): never => {
  throw new Error('called');
};
