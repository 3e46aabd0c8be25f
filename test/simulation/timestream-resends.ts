/** Simulates a request with many invalid records that is resent until it is settled: each resend makes progress, no good record is lost. */
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { LineReport } from 'shared/line-report';
import { mapLines } from 'shared/timestream/records';
import { TableCreator } from 'shared/timestream/tables';
import { writeRecords } from 'shared/timestream/writer';
import { DATABASE, MAPPING } from '../support/connector-mapping';
import { TABLES } from '../support/connector-tables';
import { VirtualClock } from '../support/virtual-clock';
import {
  CALL_MS,
  creations,
  expectedRecords,
  INVALID_VALUE,
  linesOf,
  type Point,
  REJECTED_VALUE,
  ScheduledTimestream,
  schedule,
  tables,
  valueIn,
} from './timestream-service';

const VERSION = 1_700_000_000_000;
const CONCURRENT_CALLS = 10;
/** Time between two resends of the request, ms. */
const RESEND_MS = 2_000;

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constant(INVALID_VALUE) },
  { weight: 1, arbitrary: fc.constant(REJECTED_VALUE) },
  { weight: 2, arbitrary: fc.nat(6) },
);
const scenario = fc.record({
  points: fc.array(
    fc.record({ table: fc.nat(3), series: fc.nat(3), time: fc.nat(100), value }) satisfies fc.Arbitrary<Point>,
    { minLength: 1, maxLength: 600, size: 'max' },
  ),
  faults: fc.record({
    schedule,
    afterwards: fc.constant('carry out' as const),
    tables,
    databaseExists: fc.boolean(),
    creations: creations('throttle', 'conflict', 'deny', 'fault'),
    inactiveCalls: fc.nat(2),
  }),
  maxNewTables: fc.oneof(fc.constant(100), fc.nat(3)),
  deadlineMs: fc.integer({ min: 2_000, max: 5_000 }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
  /** What happens before this round: another process creates the tables, and all calls of the round fail. */
  change: fc.record({
    round: fc.integer({ min: 1, max: 2 }),
    tables,
    outage: fc.constantFrom(undefined, 'throttle', 'fault of a proxy', 'hang'),
  }),
});

export const resendsEnd = fc.asyncProperty(scenario, async (given) => {
  const clock = new VirtualClock();
  const service = new ScheduledTimestream(given.faults, clock);
  // All resends reach the same container.
  const creator = new TableCreator(TABLES, service, clock, undefined, () => clock.now());
  const random = () => given.jitter;
  const options = {
    database: DATABASE,
    send: service.send,
    tables: creator,
    maxNewTables: given.maxNewTables,
    clock,
    random,
  };
  const expected = expectedRecords(given.points);
  const isBad = (value: number) => value === INVALID_VALUE || value === REJECTED_VALUE;

  // Rounds for the faults, for the outage, and for two calls per record.
  const callsOfRound = (CONCURRENT_CALLS * given.deadlineMs) / (2 * CALL_MS);
  const maxRounds =
    4 + given.faults.schedule.length + given.faults.creations.length + Math.ceil((2 * expected.size) / callsOfRound);
  let unstored = 1;
  let bad = new Set<string>();
  let withoutTable = false;
  for (let round = 0; unstored > 0 || round <= given.change.round; round++) {
    assert.ok(round < maxRounds, `${unstored} of ${expected.size} records are left after ${maxRounds} resends`);
    service.outage = undefined;
    if (given.change.round === round) {
      service.outage = given.change.outage;
      service.createElsewhere(given.change.tables);
    }
    // A table that is not active yet responds like a missing one.
    const { activeTables } = service;
    const report = new LineReport({ limit: Number.POSITIVE_INFINITY });
    const records = mapLines(linesOf(given.points), MAPPING, report);
    const deadline = new AbortController();
    setMaxListeners(0, deadline.signal);
    void clock.delay(given.deadlineMs).then(() => deadline.abort());
    const outcome = await writeRecords(records, VERSION + round, options, report, deadline.signal);
    ({ unstored } = outcome);
    const lines = new Map(report.reasons().map(({ line, reason }) => [line, reason]));
    bad = new Set();
    withoutTable = false;
    for (const [identity, { record, lines: own }] of expected) {
      const reason = lines.get(own[0] ?? 0);
      if (reason === undefined) continue;
      if (reason.includes('MaxNewTables')) {
        assert.ok(!activeTables.has(record.table), `table '${record.table}' exists: ${reason}`);
        withoutTable = true;
      } else {
        assert.ok(isBad(valueIn(record)), `a good record was rejected: ${identity}`);
        assert.ok(reason.includes(identity), `${identity}: ${reason}`);
        bad.add(identity);
      }
    }
    await clock.delay(RESEND_MS);
  }
  for (const [identity, { record }] of expected) {
    if (withoutTable && !service.model.tables.has(record.table)) continue;
    if (isBad(valueIn(record))) assert.ok(bad.has(identity), `not rejected in the end: ${identity}`);
    else assert.ok(service.model.stored.has(identity), `lost: ${identity}`);
  }
});
