/** Simulates one request through the writer with any responses of Timestream: each record is settled once, and no work continues. */
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { LineReport } from 'shared/line-report';
import type { RecordsOutcome } from 'shared/timestream/record-ledger';
import { mapLines } from 'shared/timestream/records';
import { TableCreator } from 'shared/timestream/tables';
import { writeRecords } from 'shared/timestream/writer';
import { DATABASE, MAPPING } from '../support/connector-mapping';
import { TABLES } from '../support/connector-tables';
import { identityOf, type PlainRecord } from '../support/timestream-calls';
import { VirtualClock } from '../support/virtual-clock';
import {
  CALL_MS,
  creations,
  expectedRecords,
  type Faults,
  INVALID_VALUE,
  linesOf,
  type Point,
  REJECTED_VALUE,
  recordOf,
  ScheduledTimestream,
  schedule,
  stepAfterwards,
  tables,
  valueIn,
} from './timestream-service';

export const VERSION = 1_700_000_000_000;
const CONCURRENT_CALLS = 10;
const NUMBER_OF_TABLES = 4;
/** Maximum calls to find one bad record among a hundred. */
const CALLS_PER_BAD_RECORD = 2 * Math.ceil(Math.log2(100)) + 1;

const point = fc.record({
  table: fc.nat(3),
  series: fc.nat(3),
  time: fc.nat(60),
  value: fc.nat(40),
}) satisfies fc.Arbitrary<Point>;

export interface Scenario extends Faults {
  readonly points: readonly Point[];
  /** Records that are already stored: index of the point, and difference of their version to the request's. */
  readonly earlier: readonly (readonly [number, number])[];
  readonly maxNewTables: number;
  readonly deadlineMs: number;
  readonly jitter: number;
}

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  points: fc.oneof(
    { weight: 4, arbitrary: fc.array(point, { maxLength: 40, size: 'max' }) },
    { weight: 1, arbitrary: fc.array(point, { maxLength: 400, size: 'max' }) },
  ),
  earlier: fc.array(fc.tuple(fc.nat(400), fc.constantFrom(-5, 0, 0, 1, 9)), { maxLength: 30 }),
  schedule,
  afterwards: stepAfterwards,
  tables,
  databaseExists: fc.boolean(),
  creations: creations('create', 'throttle', 'conflict', 'deny', 'invalid', 'fault'),
  inactiveCalls: fc.nat(2),
  maxNewTables: fc.oneof({ weight: 3, arbitrary: fc.constant(100) }, { weight: 1, arbitrary: fc.nat(3) }),
  deadlineMs: fc.oneof({ weight: 2, arbitrary: fc.constant(6000) }, { weight: 1, arbitrary: fc.nat(5000) }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

export interface Run {
  readonly service: ScheduledTimestream;
  readonly report: LineReport;
  readonly outcome: RecordsOutcome;
}

export async function run(given: Scenario): Promise<Run> {
  const clock = new VirtualClock();
  const service = new ScheduledTimestream(given, clock);
  for (const [index, above] of given.earlier) {
    const point = given.points[index];
    if (point === undefined || !service.model.tables.has(`t${point.table}`)) continue;
    const record = recordOf({ ...point, value: -1 });
    service.model.stored.set(identityOf(record), { record, version: VERSION + above });
  }
  const report = new LineReport({ limit: Number.POSITIVE_INFINITY });
  const records = mapLines(linesOf(given.points), MAPPING, report);
  const options = {
    database: DATABASE,
    send: service.send,
    tables: new TableCreator(TABLES, service, clock),
    maxNewTables: given.maxNewTables,
    clock,
    random: () => given.jitter,
  };
  const deadline = new AbortController();
  setMaxListeners(0, deadline.signal);
  const abort = clock.delay(given.deadlineMs).then(() => deadline.abort());
  const outcome = { ...(await writeRecords(records, VERSION, options, report, deadline.signal)) };

  const callsAtTheEnd = service.calls;
  assert.equal(service.inFlight, 0, 'a call is in progress after the request');
  await abort;
  await clock.delay(120_000);
  assert.equal(service.calls, callsAtTheEnd, 'a call was made after the request');
  return { service, report, outcome };
}

/** Each record is settled once; acknowledged records are stored; rejected records are reported; no work continues. */
export const requestEnds = fc.asyncProperty(scenario, async (given) => {
  const { service, report, outcome } = await run(given);
  const expected = expectedRecords(given.points);
  const { model, stored, superseded, rejected, refusedTables } = service;

  // The service reported each record as stored at most once, and the outcome counts exactly these records.
  assert.equal(new Set([...stored, ...superseded]).size, stored.length + superseded.length);
  assert.equal(outcome.stored, stored.length + superseded.length);
  assert.equal(outcome.superseded, superseded.length);

  // A stored record is in the service with the values of its last line and this request's version, or with a newer version.
  for (const identity of stored) {
    assert.deepEqual(model.stored.get(identity)?.record.measures, expected.get(identity)?.record.measures);
  }
  for (const identity of superseded) assert.ok((model.stored.get(identity)?.version ?? 0) > VERSION, identity);
  for (const version of service.versions) assert.ok(version === VERSION || version === VERSION + 1, `${version}`);

  // Each rejected line is reported once, with the service's reason for its record.
  const reasons = report.reasons();
  assert.equal(new Set(reasons.map(({ line }) => line)).size, reasons.length);
  assert.equal(report.rejectedLines, reasons.length);
  const reasonOf = new Map(reasons.map(({ line, reason }) => [line, reason]));
  let rejectedRecords = 0;
  let withoutTable = 0;
  for (const [identity, { record, lines }] of expected) {
    const kind = rejected.get(identity);
    if (lines.every((line) => reasonOf.has(line))) rejectedRecords++;
    else assert.ok(kind === undefined && !lines.some((line) => reasonOf.has(line)), `half rejected: ${identity}`);
    for (const line of lines) {
      const reason = reasonOf.get(line);
      if (reason === undefined) continue;
      if (kind === undefined) withoutTable++;
      if (reason.includes('MaxNewTables')) assert.ok(!model.tables.has(record.table), reason);
      const refused = refusedTables.has(record.table) ? `table '${record.table}'` : 'MaxNewTables';
      assert.ok(reason.includes(kind === undefined ? refused : `line ${line}: ${kind} ${identity}`), reason);
    }
  }
  assert.equal(outcome.stored + rejectedRecords + outcome.unstored, expected.size, 'a record is not settled');

  const isBad = ({ record }: { record: PlainRecord }) => [INVALID_VALUE, REJECTED_VALUE].includes(valueIn(record));
  const bad = [...expected].filter(([, each]) => isBad(each)).map(([identity]) => identity);
  // If nothing is unstored, exactly the bad records were rejected, and every good record is in the service.
  if (outcome.unstored === 0 && withoutTable === 0) {
    assert.deepEqual([...rejected.keys()].sort(), bad.sort());
    for (const [identity, each] of expected) {
      if (!isBad(each)) assert.ok((model.stored.get(identity)?.version ?? 0) >= VERSION, `lost: ${identity}`);
    }
  } else if (outcome.unstored > 0) assert.ok(outcome.unstoredReason);

  // Reasons for a call: a batch, a fault, a missing table, the search for a bad record, or a retry above an earlier version.
  const batches = NUMBER_OF_TABLES + Math.ceil(expected.size / 100);
  const forever = given.afterwards === 'carry out' ? 0 : CONCURRENT_CALLS * (Math.ceil(given.deadlineMs / CALL_MS) + 1);
  const maxCalls =
    given.schedule.length + forever + 2 * batches + 8 + CALLS_PER_BAD_RECORD * bad.length + given.earlier.length;
  assert.ok(outcome.calls <= maxCalls, `${outcome.calls} calls, ${maxCalls} at most`);
  assert.ok(service.maxInFlight <= CONCURRENT_CALLS);
});
