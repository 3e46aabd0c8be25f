/** How single answers settle the records of a call: retries, rejections, missing tables, the deadline. */
import { LineReport } from 'shared/timestream/line-report';
import { CallEncoder } from 'shared/timestream/packing';
import { mapLines } from 'shared/timestream/records';
import type { ServiceAnswer, TableAdministration } from 'shared/timestream/service';
import { TableCreator, type TableSettings } from 'shared/timestream/tables';
import { writeRecords } from 'shared/timestream/writer';
import { DATABASE, MAPPING } from '../../connector-mapping';
import { serviceError, TABLES } from '../../connector-tables';
import { expandCall, type PlainCall } from '../../timestream-calls';
import { answer } from '../../timestream-model';
import { VirtualClock } from '../../virtual-clock';

const VERSION = 1_709_294_400_000;
const STORED: ServiceAnswer = { status: 200, body: Buffer.from('{}') };
const MISSING = answer(404, 'ResourceNotFoundException', { Message: 'no table' });
const rejected = (...RejectedRecords: object[]) => answer(419, 'RejectedRecordsException', { RejectedRecords });

type Script = (call: PlainCall, index: number, signal: AbortSignal) => ServiceAnswer | Promise<ServiceAnswer>;

interface Setup {
  readonly settings?: Partial<TableSettings>;
  readonly maxNewTables?: number;
  readonly deadlineMs?: number;
  readonly random?: () => number;
  readonly createTable?: TableAdministration['createTable'];
}

/** Writes lines to a service that answers by the script; the calls it got, when, and how the request went. */
async function write(text: string, script: Script, setup: Setup = {}) {
  const clock = new VirtualClock();
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
  const records = mapLines(Buffer.from(text), MAPPING, report);
  const tables = new TableCreator({ ...TABLES, ...setup.settings }, administration, clock);
  const deadline = new AbortController();
  if (setup.deadlineMs !== undefined) void clock.delay(setup.deadlineMs).then(() => deadline.abort());
  const send = async (body: Uint8Array, signal: AbortSignal): Promise<ServiceAnswer> => {
    const call = expandCall(body);
    const index = calls.push({ at: clock.now(), call }) - 1;
    return await script(call, index, signal);
  };
  const { maxNewTables = 100, random = () => 0.5 } = setup;
  const options = { database: DATABASE, send, tables, maxNewTables, clock, random };
  const outcome = await writeRecords(records, VERSION, options, report, deadline.signal);
  const reasons = report.reasons().map(({ reason }) => reason);
  return { outcome: { ...outcome }, calls, created, reasons, clock, tables };
}

const LINES = 'm,t=1 v=1i 1\nm,t=1 v=2i 2\nm,t=1 v=3i 3';
const lines = (table: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${table},t=1 v=${n}i ${n}\n`).join('');

test('nothing to write makes no call', async () => {
  const { outcome, calls } = await write('', () => STORED);
  expect(calls).toEqual([]);
  expect(outcome).toMatchObject({ calls: 0, stored: 0, unstored: 0 });
});

test('every record carries the version of the request', async () => {
  const { calls, outcome } = await write(LINES, () => STORED);
  expect(calls.map(({ call }) => call.versions)).toEqual([[VERSION, VERSION, VERSION]]);
  expect(outcome).toMatchObject({ calls: 1, stored: 3, superseded: 0, unstored: 0, throttled: false });
});

describe('retries', () => {
  const THROTTLED = answer(400, 'ThrottlingException', { message: 'slow' });
  const delays = (calls: { at: number }[]) => calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? 0));

  test('come with full jitter: half of 100, 200, 400, 800, 1600, 2000, 2000 ms for a random 0.5', async () => {
    const { calls, outcome } = await write(LINES, (_, index) => (index < 7 ? THROTTLED : STORED));
    expect(delays(calls)).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
    expect(outcome).toMatchObject({ calls: 8, stored: 3, unstored: 0, throttled: false });
  });

  test('draw their own random number each', async () => {
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

  test('come at once after the first lost connection, and with jitter after the next', async () => {
    const { calls, outcome } = await write(LINES, (_, index) => {
      if (index < 3) throw new Error('read ECONNRESET');
      return STORED;
    });
    expect(delays(calls)).toEqual([0, 100, 200]);
    expect(outcome.stored).toBe(3);
  });

  test('end with the deadline, and the outcome says why', async () => {
    const { calls, outcome, reasons, clock } = await write(LINES, () => THROTTLED, { deadlineMs: 3_000 });
    expect(outcome).toMatchObject({ stored: 0, unstored: 3, throttled: true, unstoredReason: 'slow' });
    expect(delays(calls)).toEqual([50, 100, 200, 400, 800, 1_000]);
    expect(clock.now()).toBe(3_000);
    expect(reasons).toEqual([]);
  });

  test.each(['AccessDeniedException', 'ServiceQuotaExceededException', 'InvalidEndpointException'])(
    'do not come after %s: the points stay unstored',
    async (type) => {
      const { calls, outcome, reasons } = await write(LINES, () => answer(400, type, { message: 'no' }));
      expect(calls).toHaveLength(1);
      expect(outcome).toMatchObject({ unstored: 3, throttled: false, unstoredReason: `${type}: no` });
      expect(reasons).toEqual([]);
    },
  );
});

describe('rejected records', () => {
  test('are answered for by their lines, and the others are stored', async () => {
    const { outcome, reasons } = await write(LINES, () => rejected({ RecordIndex: 1, Reason: 'too old' }));
    expect(reasons).toEqual(['line 2: too old']);
    expect(outcome).toMatchObject({ stored: 2, unstored: 0 });
  });

  test('that stand for merged lines are answered for by each of them', async () => {
    const { reasons } = await write(`${LINES}\nm,t=1 w=1i 2\nm,t=1 x=1i 2`, () =>
      rejected({ RecordIndex: 1, Reason: 'too old' }),
    );
    expect(reasons).toEqual(['line 2: too old', 'line 4: too old', 'line 5: too old']);
  });

  test('are found in the second call of a table', async () => {
    const { reasons } = await write(lines('m', 150), (call) =>
      call.records.length === 50 ? rejected({ RecordIndex: 49, Reason: 'no' }) : STORED,
    );
    expect(reasons).toEqual(['line 150: no']);
  });

  test('named twice count once', async () => {
    const twice = [
      { RecordIndex: 0, Reason: 'a' },
      { RecordIndex: 0, Reason: 'b' },
    ];
    const { outcome, reasons } = await write(LINES, () => rejected(...twice));
    expect(reasons).toEqual(['line 1: a']);
    expect(outcome.stored).toBe(2);
  });

  test('that a newer version has overtaken count as stored', async () => {
    const { outcome, reasons, calls } = await write(LINES, () =>
      rejected({ RecordIndex: 0, Reason: 'lower', ExistingVersion: VERSION + 1 }),
    );
    expect(reasons).toEqual([]);
    expect(calls).toHaveLength(1);
    expect(outcome).toMatchObject({ stored: 3, superseded: 1 });
  });

  test('of an equal version go once more with the next one', async () => {
    const equal = rejected({ RecordIndex: 2, Reason: 'equal', ExistingVersion: VERSION });
    const { outcome, calls } = await write(LINES, (_, index) => (index === 0 ? equal : STORED));
    expect(calls[1]?.call).toMatchObject({ versions: [VERSION + 1], records: [{ measures: { v: 'BIGINT 3' } }] });
    expect(outcome).toMatchObject({ stored: 3, unstored: 0 });
  });

  test('of an equal version twice are overtaken: what is at the next version came at the same time or later', async () => {
    const equal = (version: number) => rejected({ RecordIndex: 0, Reason: 'equal', ExistingVersion: version });
    const { outcome, calls, reasons } = await write(LINES, (call) => equal(call.versions[0] ?? 0));
    expect(calls).toHaveLength(2);
    expect(reasons).toEqual([]);
    expect(outcome).toMatchObject({ stored: 3, superseded: 1, unstored: 0 });
  });

  test('of a lower version are rejected: something else is wrong with them', async () => {
    const { reasons } = await write(LINES, () =>
      rejected({ RecordIndex: 0, Reason: 'odd', ExistingVersion: VERSION - 1 }),
    );
    expect(reasons).toEqual(['line 1: odd']);
  });
});

test('a refused call is halved until the bad records stand alone', async () => {
  const bad = new Set(['BIGINT 0', 'BIGINT 41', 'BIGINT 42', 'BIGINT 99']);
  const isBad = ({ records }: PlainCall) => records.some(({ measures }) => bad.has(measures.v ?? ''));
  const { outcome, reasons, calls } = await write(lines('m', 100), (call) =>
    isBad(call) ? answer(400, 'ValidationException', { message: 'bad record' }) : STORED,
  );
  expect(reasons).toEqual([1, 42, 43, 100].map((line) => `line ${line}: bad record`));
  expect(outcome).toMatchObject({ stored: 96, unstored: 0 });
  // Four paths of seven halvings, each with a sibling, less what they share.
  expect(calls.length).toBeLessThanOrEqual(1 + 2 * 4 * 7);
});

describe('a missing table', () => {
  /** Tables exist once they were created. */
  const missingFirst = (): Script => {
    const seen = new Set<string>();
    return ({ table }) => {
      if (seen.has(table)) return STORED;
      seen.add(table);
      return MISSING;
    };
  };

  test('is created once and gets its records', async () => {
    const { outcome, created, tables } = await write(lines('a', 1) + lines('b', 1), missingFirst());
    expect(created.sort()).toEqual(['a', 'b']);
    expect(outcome).toMatchObject({ stored: 2, unstored: 0 });
    expect([...tables.known].sort()).toEqual(['a', 'b']);
  });

  test('is not asked again by the calls that wait', async () => {
    let exists = false;
    const script: Script = () => (exists ? STORED : MISSING);
    const createTable = () => {
      exists = true;
      return Promise.resolve();
    };
    const { outcome, created } = await write(lines('a', 3_000), script, { createTable });
    expect(created).toEqual(['a']);
    // The ten calls under way, and then each once.
    expect(outcome).toMatchObject({ stored: 3_000, calls: 10 + 30 });
  });

  test('that is not active yet is waited for', async () => {
    const { outcome, created } = await write(LINES, (_, index) => (index < 4 ? MISSING : STORED));
    expect(created).toEqual(['m']);
    expect(outcome).toMatchObject({ stored: 3, calls: 5 });
  });

  test('that stays away leaves its records unstored at the deadline', async () => {
    const { outcome } = await write(LINES, () => MISSING, { deadlineMs: 4_000 });
    expect(outcome).toMatchObject({ stored: 0, unstored: 3, unstoredReason: "table 'm' is not active yet" });
  });

  test('that cannot be created now leaves its records unstored; other tables are written', async () => {
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

  test('that may not be created has its lines rejected', async () => {
    const { outcome, reasons } = await write(LINES, () => MISSING, { settings: { createTables: false } });
    expect(outcome).toMatchObject({ stored: 0, unstored: 0 });
    expect(reasons).toEqual(
      [1, 2, 3].map((n) => `line ${n}: table 'm' does not exist, and EnableTableCreation is false`),
    );
  });

  test('beyond MaxNewTables: none is created, and their lines are rejected', async () => {
    const text = lines('known', 2) + lines('a', 1) + lines('b', 1) + lines('c', 1);
    const script: Script = ({ table }) => (table === 'known' ? STORED : MISSING);
    const { outcome, created, reasons } = await write(text, script, { maxNewTables: 2 });
    expect(created).toEqual([]);
    expect(reasons).toHaveLength(3);
    expect(reasons[0]).toMatch(/^line 3: the request needs 3 or more new tables, and MaxNewTables allows 2/);
    expect(outcome).toMatchObject({ stored: 2, unstored: 0 });
  });

  test('beyond MaxNewTables, what goes to tables that exist is stored, known or not', async () => {
    const missing = ['a', 'b', 'c', 'd'].map((table) => lines(table, 1)).join('');
    const script: Script = ({ table }) => (table === 'old' ? STORED : MISSING);
    const { outcome, reasons } = await write(missing + lines('old', 2), script, { maxNewTables: 2 });
    expect(outcome).toMatchObject({ stored: 2, unstored: 0 });
    expect(reasons).toHaveLength(4);
  });

  test('as many as MaxNewTables are created', async () => {
    const { outcome, created } = await write(lines('a', 1) + lines('b', 1), missingFirst(), { maxNewTables: 2 });
    expect(created).toHaveLength(2);
    expect(outcome.stored).toBe(2);
  });
});

describe('the deadline', () => {
  test('ends calls that do not answer, and no further ones begin', async () => {
    const hang: Script = (_call, _index, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const { outcome, calls } = await write(lines('m', 3_000), hang, { deadlineMs: 500 });
    expect(calls).toHaveLength(10);
    expect(outcome).toMatchObject({ stored: 0, unstored: 3_000, calls: 10 });
  });

  test('that has passed already lets nothing begin', async () => {
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
