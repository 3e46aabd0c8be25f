/** Simulates requests for the same points, concurrent and repeated until stored: the newest values stay, even if older ones are resent. */
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
import { VirtualClock } from '../support/virtual-clock';
import {
  creations,
  expectedRecords,
  linesOf,
  type Point,
  ScheduledTimestream,
  schedule,
  tables,
} from './timestream-service';

/** After this number of rounds every fault of a schedule has occurred. */
const MAX_ROUNDS = 60;
const VERSION = 1_700_000_000_000;

const points = fc.array(
  fc.record({ table: fc.nat(1), series: fc.nat(1), time: fc.nat(6), value: fc.nat(3) }) satisfies fc.Arbitrary<Point>,
  { minLength: 1, maxLength: 30, size: 'max' },
);

const scenario = fc.record({
  requests: fc.array(fc.record({ points, laterMs: fc.nat(2), deadlineMs: fc.nat(3000) }), {
    minLength: 2,
    maxLength: 5,
  }),
  /** Whether the first attempts of all requests are concurrent. */
  atOnce: fc.boolean(),
  /** Selects the next request among the unstored ones and the needless repetitions. */
  order: fc.infiniteStream(fc.nat(100)),
  needless: fc.nat(4),
  faults: fc.record({
    schedule,
    afterwards: fc.constant('carry out' as const),
    tables,
    databaseExists: fc.boolean(),
    creations: creations('throttle', 'conflict', 'deny', 'fault'),
    inactiveCalls: fc.nat(2),
  }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

interface Request {
  readonly points: readonly Point[];
  readonly version: number;
  readonly deadlineMs: number;
}

/** No acknowledged point is lost, and a repeated request never overwrites the values of a later request. */
export const replaysKeepTheNewest = fc.asyncProperty(scenario, async (given) => {
  const clock = new VirtualClock();
  const service = new ScheduledTimestream(given.faults, clock);
  // As in a container, requests share the memory of tables.
  const creator = new TableCreator(TABLES, service, clock);
  const random = () => given.jitter;
  const writer = { database: DATABASE, send: service.send, tables: creator, maxNewTables: 100, clock, random };
  let version = VERSION;
  const requests: Request[] = given.requests.map(({ points, laterMs, deadlineMs }, request) => {
    version += laterMs;
    // Values identify their request, and the model refuses none of them.
    return {
      points: points.map((point) => ({ ...point, value: 100 * (request + 1) + point.value })),
      version,
      deadlineMs,
    };
  });

  const write = async ({ points, version }: Request, deadlineMs: number): Promise<RecordsOutcome> => {
    const report = new LineReport();
    const deadline = new AbortController();
    setMaxListeners(0, deadline.signal);
    void clock.delay(deadlineMs).then(() => deadline.abort());
    const records = mapLines(linesOf(points), MAPPING, report);
    const outcome = await writeRecords(records, version, writer, report, deadline.signal);
    assert.equal(report.rejectedLines, 0, 'a good line was rejected');
    assert.equal(outcome.stored + outcome.unstored, expectedRecords(points).size, 'a record is not settled');
    return outcome;
  };

  const open = new Set<Request>();
  const tryOnce = async (request: Request, deadlineMs = request.deadlineMs): Promise<void> => {
    const { unstored } = await write(request, deadlineMs);
    if (unstored > 0) open.add(request);
    else open.delete(request);
  };
  if (given.atOnce) await Promise.all(requests.map((request) => tryOnce(request)));
  else for (const request of requests) await tryOnce(request);

  let needless = given.needless;
  for (let round = 0; open.size > 0 || needless > 0; round++) {
    assert.ok(round < MAX_ROUNDS, `${open.size} requests are not stored after ${MAX_ROUNDS} rounds`);
    const from = needless-- > 0 ? requests : [...open];
    const next = from[(given.order.next().value ?? 0) % from.length];
    if (next !== undefined) await tryOnce(next, 60_000);
  }

  for (const [identity, { stored }] of newest(requests)) {
    const found = service.model.stored.get(identity);
    assert.ok(found !== undefined, `lost: ${identity}`);
    assert.ok(stored.includes(JSON.stringify(found.record.measures)), `overwritten: ${identity}`);
  }
});

/** The values that may be stored for each record: those of its newest request, or of all requests with the same version. */
function newest(requests: readonly Request[]): Map<string, { version: number; stored: string[] }> {
  const best = new Map<string, { version: number; stored: string[] }>();
  for (const { points, version } of requests) {
    for (const [identity, { record }] of expectedRecords(points)) {
      const values = JSON.stringify(record.measures);
      const known = best.get(identity);
      if (known?.version === version) known.stored.push(values);
      else if (known === undefined || known.version < version) best.set(identity, { version, stored: [values] });
    }
  }
  return best;
}
