/** Whatever the service answers, and in whatever order: each record ends once as stored, rejected or unstored; nothing runs on. */
import fc from 'fast-check';
import { LineReport } from 'shared/timestream/line-report';
import { mapLines } from 'shared/timestream/records';
import type { ServiceAnswer, TableAdministration } from 'shared/timestream/service';
import { TableCreator } from 'shared/timestream/tables';
import { type WriteOutcome, writeRecords } from 'shared/timestream/writer';
import { DATABASE, MAPPING } from '../connector-mapping';
import { serviceError, TABLES } from '../connector-tables';
import { expandCall, identityOf, type PlainRecord } from '../timestream-calls';
import { answer, TimestreamModel } from '../timestream-model';
import { VirtualClock } from '../virtual-clock';

const VERSION = 1_700_000_000_000;
/** Values that the model refuses, as a call or as records. */
const INVALID_VALUE = 7;
const REJECTED_VALUE = 8;

const STEPS = [
  'carry out',
  'throttle',
  'throttle by status',
  'fault',
  'fault of a proxy',
  'fault, carried out',
  'lose before',
  'lose after',
  'deny',
  'hang',
] as const;
type Step = (typeof STEPS)[number];

interface Point {
  readonly table: number;
  readonly series: number;
  readonly time: number;
  readonly value: number;
}

const CREATIONS = ['create', 'throttle', 'conflict', 'deny', 'invalid', 'fault'] as const;

const scenario = fc.record({
  points: fc.array(
    fc.record({
      table: fc.nat(3),
      series: fc.nat(3),
      time: fc.nat(60),
      value: fc.nat(40),
    }) satisfies fc.Arbitrary<Point>,
    { maxLength: 400, size: 'max' },
  ),
  /** Records that are stored already: of which point, and how their version compares. */
  earlier: fc.array(fc.tuple(fc.nat(400), fc.constantFrom(-5, 0, 0, 1, 9)), { maxLength: 30 }),
  schedule: fc.array(fc.record({ step: stepsWeighted(), ms: fc.nat(400) }), { maxLength: 40 }),
  tables: fc.subarray(['t0', 't1', 't2', 't3']),
  databaseExists: fc.boolean(),
  creations: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('create' as const) },
      { weight: 1, arbitrary: fc.constantFrom(...CREATIONS) },
    ),
    { maxLength: 8 },
  ),
  /** Calls that a new table answers as if it were missing. */
  inactiveCalls: fc.nat(2),
  maxNewTables: fc.oneof({ weight: 3, arbitrary: fc.constant(100) }, { weight: 1, arbitrary: fc.nat(3) }),
  deadlineMs: fc.oneof({ weight: 2, arbitrary: fc.constant(60_000) }, { weight: 1, arbitrary: fc.nat(5000) }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never;

function stepsWeighted(): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant('carry out' as const) },
    { weight: 8, arbitrary: fc.constantFrom(...STEPS.slice(0, 8)) },
    { weight: 1, arbitrary: fc.constantFrom(...STEPS) },
  );
}

/** The service by its schedule. It remembers what it told the client of each record. */
class ScheduledTimestream implements TableAdministration {
  readonly model = new TimestreamModel({
    invalid: (record) => (valueIn(record) === INVALID_VALUE ? `invalid ${identityOf(record)}` : undefined),
    rejected: (record) => (valueIn(record) === REJECTED_VALUE ? `rejected ${identityOf(record)}` : undefined),
  });
  readonly stored: string[] = [];
  readonly superseded: string[] = [];
  readonly rejected = new Map<string, string>();
  readonly versions = new Set<number>();
  /** Tables that the service refused to create for good. */
  readonly refusedTables = new Set<string>();
  inFlight = 0;
  mostInFlight = 0;
  calls = 0;
  #creations = 0;
  readonly #inactive = new Map<string, number>();
  #database: boolean;

  constructor(
    readonly given: Scenario,
    readonly clock: VirtualClock,
  ) {
    this.#database = given.databaseExists;
    if (given.databaseExists) for (const table of given.tables) this.model.tables.add(table);
  }

  readonly send = async (body: Uint8Array, signal: AbortSignal): Promise<ServiceAnswer> => {
    const { step, ms } = this.given.schedule[this.calls++] ?? { step: 'carry out', ms: 1 };
    this.inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      await this.clock.delay(step === 'hang' ? 1e9 : ms, signal);
      if (signal.aborted) throw new Error('aborted');
      return this.#answer(step, body);
    } finally {
      this.inFlight--;
    }
  };

  #answer(step: Step, body: Uint8Array): ServiceAnswer {
    switch (step) {
      case 'throttle':
        return answer(400, 'ThrottlingException', { Message: 'slower' });
      case 'throttle by status':
        return { status: 429, body: Buffer.from('slow down') };
      case 'fault':
        return answer(500, 'InternalServerException');
      case 'fault of a proxy':
        return { status: 503, body: Buffer.from('<html>') };
      case 'fault, carried out':
        this.#carryOut(body);
        return answer(500, 'InternalServerException');
      case 'lose after':
        this.#carryOut(body);
        throw new Error('read ECONNRESET');
      case 'lose before':
        throw new Error('write EPIPE');
      case 'deny':
        return answer(400, 'AccessDeniedException', { Message: 'not allowed' });
      default: {
        const result = this.#carryOut(body);
        this.#remember(body, result);
        return result;
      }
    }
  }

  #carryOut(body: Uint8Array): ServiceAnswer {
    const { table } = expandCall(body);
    const inactive = this.#inactive.get(table) ?? 0;
    if (inactive === 0) return this.model.write(body);
    this.#inactive.set(table, inactive - 1);
    return answer(404, 'ResourceNotFoundException');
  }

  #remember(body: Uint8Array, { status, body: text }: ServiceAnswer): void {
    const { records, versions } = expandCall(body);
    for (const version of versions) this.versions.add(version);
    if (status !== 200 && status !== 419) {
      const [record, ...others] = records;
      if (status === 400 && record !== undefined && others.length === 0)
        this.rejected.set(identityOf(record), 'invalid');
      return;
    }
    const { RejectedRecords = [] } = JSON.parse(text.toString()) as {
      RejectedRecords?: { RecordIndex: number; Reason: string; ExistingVersion?: number }[];
    };
    const rejections = new Map(RejectedRecords.map((rejection) => [rejection.RecordIndex, rejection]));
    for (const [index, record] of records.entries()) {
      const rejection = rejections.get(index);
      const version = versions[index] ?? 1;
      if (rejection === undefined) this.stored.push(identityOf(record));
      else if ((rejection.ExistingVersion ?? 0) > version) this.superseded.push(identityOf(record));
      else if (rejection.ExistingVersion === undefined) this.rejected.set(identityOf(record), 'rejected');
    }
  }

  databaseExists(): Promise<boolean> {
    return Promise.resolve(this.#database);
  }

  async createDatabase(_request: unknown, signal: AbortSignal): Promise<void> {
    await this.clock.delay(20, signal);
    signal.throwIfAborted();
    if (this.#database) throw serviceError('ConflictException');
    this.#database = true;
  }

  async createTable({ TableName = '' }: { TableName: string | undefined }, signal: AbortSignal): Promise<void> {
    const creation = this.given.creations[this.#creations++] ?? 'create';
    await this.clock.delay(20, signal);
    signal.throwIfAborted();
    if (!this.#database) throw serviceError('ResourceNotFoundException');
    if (creation === 'throttle') throw serviceError('ThrottlingException');
    if (creation === 'deny') throw serviceError('AccessDeniedException');
    if (creation === 'fault') throw serviceError('InternalServerException');
    if (creation === 'invalid') {
      this.refusedTables.add(TableName);
      throw serviceError('ValidationException');
    }
    if (!this.model.tables.has(TableName)) this.#inactive.set(TableName, this.given.inactiveCalls);
    this.model.tables.add(TableName);
    if (creation === 'conflict') throw serviceError('ConflictException');
  }
}

const valueIn = ({ measures }: PlainRecord): number => Number(measures.v?.replace('BIGINT ', ''));

const recordOf = ({ table, series, time, value }: Point): PlainRecord => ({
  table: `t${table}`,
  measureName: MAPPING.measureName,
  dimensions: [`s=${series}`],
  time: BigInt(time),
  measures: { v: `BIGINT ${value}` },
});

/** What the lines come to: the records by identity, later lines winning, each with the lines that it stands for. */
function expectedRecords(points: readonly Point[]): Map<string, { record: PlainRecord; lines: number[] }> {
  const records = new Map<string, { record: PlainRecord; lines: number[] }>();
  for (const [index, point] of points.entries()) {
    const record = recordOf(point);
    const identity = identityOf(record);
    const lines = [...(records.get(identity)?.lines ?? []), index + 1];
    records.set(identity, { record, lines });
  }
  return records;
}

interface Run {
  readonly service: ScheduledTimestream;
  readonly report: LineReport;
  readonly outcome: WriteOutcome;
}

async function run(given: Scenario): Promise<Run> {
  const clock = new VirtualClock();
  const service = new ScheduledTimestream(given, clock);
  for (const [index, above] of given.earlier) {
    const point = given.points[index];
    if (point === undefined || !service.model.tables.has(`t${point.table}`)) continue;
    const record = recordOf({ ...point, value: -1 });
    service.model.stored.set(identityOf(record), { record, version: VERSION + above });
  }
  const text = given.points.map(({ table, series, time, value }) => `t${table},s=${series} v=${value}i ${time}\n`);
  const report = new LineReport(Number.POSITIVE_INFINITY);
  const records = mapLines(Buffer.from(text.join('')), MAPPING, report);
  const options = {
    database: DATABASE,
    send: service.send,
    tables: new TableCreator(TABLES, service, clock),
    maxNewTables: given.maxNewTables,
    clock,
    random: () => given.jitter,
  };
  const deadline = new AbortController();
  const abort = clock.delay(given.deadlineMs).then(() => deadline.abort());
  const outcome = { ...(await writeRecords(records, VERSION, options, report, deadline.signal)) };

  const callsAtTheAnswer = service.calls;
  expect(service.inFlight).toBe(0);
  await abort;
  await clock.delay(120_000);
  expect(service.calls).toBe(callsAtTheAnswer);
  return { service, report, outcome };
}

test('every record ends once; what is acknowledged is stored; what is rejected is answered for; nothing runs on', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { service, report, outcome } = await run(given);
      const expected = expectedRecords(given.points);
      const { model, stored, superseded, rejected, refusedTables } = service;

      // Each record was told to be stored at most once, and those are what the outcome counts.
      expect(new Set([...stored, ...superseded]).size).toBe(stored.length + superseded.length);
      expect(outcome.stored).toBe(stored.length + superseded.length);
      expect(outcome.superseded).toBe(superseded.length);

      // Stored means: in the service, with the values of the last line and a version of this request, or a newer one.
      expect(stored.map((identity) => model.stored.get(identity)?.record.measures)).toEqual(
        stored.map((identity) => expected.get(identity)?.record.measures),
      );
      expect(superseded.filter((identity) => (model.stored.get(identity)?.version ?? 0) <= VERSION)).toEqual([]);
      expect([VERSION, VERSION + 1]).toEqual(expect.arrayContaining([...service.versions]));

      // Each rejected line is answered for once, with the reason that the service gave for its record.
      const reasons = report.reasons();
      expect(new Set(reasons.map(({ line }) => line)).size).toBe(reasons.length);
      expect(report.rejectedLines).toBe(reasons.length);
      const reasonOf = new Map(reasons.map(({ line, reason }) => [line, reason]));
      let rejectedRecords = 0;
      let withoutTable = 0;
      const wrong: string[] = [];
      for (const [identity, { record, lines }] of expected) {
        const kind = rejected.get(identity);
        if (lines.every((line) => reasonOf.has(line))) rejectedRecords++;
        else if (kind !== undefined || lines.some((line) => reasonOf.has(line))) wrong.push(identity);
        for (const line of lines) {
          const reason = reasonOf.get(line);
          if (reason === undefined) continue;
          if (kind === undefined) withoutTable++;
          const refused = refusedTables.has(record.table) ? `table '${record.table}'` : 'MaxNewTables';
          if (!reason.includes(kind === undefined ? refused : `line ${line}: ${kind} ${identity}`)) wrong.push(reason);
        }
      }
      expect(wrong).toEqual([]);
      expect(outcome.stored + rejectedRecords + outcome.unstored).toBe(expected.size);

      // Where nothing is left open, exactly the bad records were rejected, and every good one is in the service.
      if (outcome.unstored === 0 && withoutTable === 0) {
        const isBad = ({ record }: { record: PlainRecord }) =>
          [INVALID_VALUE, REJECTED_VALUE].includes(valueIn(record));
        const [bad, good] = [
          [...expected].filter(([, each]) => isBad(each)),
          [...expected].filter(([, each]) => !isBad(each)),
        ];
        expect([...rejected.keys()].sort()).toEqual(bad.map(([identity]) => identity).sort());
        expect(good.filter(([identity]) => (model.stored.get(identity)?.version ?? 0) < VERSION)).toEqual([]);
      } else if (outcome.unstored > 0) expect(outcome.unstoredReason).toEqual(expect.any(String));
      expect(service.mostInFlight).toBeLessThanOrEqual(10);
    }),
    { numRuns: Number(process.env.WRITER_RUNS ?? 150), interruptAfterTimeLimit: 40_000 },
  );
}, 60_000);

test('a request that meets no fault makes ceil(n/100) calls a table', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ points }) => {
      const good = points.map((point) => ({ ...point, value: point.value % INVALID_VALUE }));
      const quiet = {
        schedule: [],
        creations: [],
        earlier: [],
        inactiveCalls: 0,
        maxNewTables: 100,
        deadlineMs: 60_000,
      };
      const given = { points: good, ...quiet, tables: ['t0', 't1', 't2', 't3'], databaseExists: true, jitter: 0 };
      const { service, outcome } = await run(given);
      const perTable = new Map<string, number>();
      for (const { record } of expectedRecords(good).values()) {
        perTable.set(record.table, (perTable.get(record.table) ?? 0) + 1);
      }
      const calls = [...perTable.values()].reduce((sum, records) => sum + Math.ceil(records / 100), 0);
      expect(outcome.calls).toBe(calls);
      expect([...service.model.stored.keys()].sort()).toEqual([...expectedRecords(good).keys()].sort());
    }),
    { numRuns: 40 },
  );
});
