/**
 * Simulates clients that write to two destinations with any faults of both, in synchronous and asynchronous mode, also while the operator
 * changes the destination: no acknowledged point is lost in either, and every response tells the truth.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { WritePrecision } from 'shared/influxdb/protocol';
import { TIMESTREAM_LIMITS } from 'shared/timestream/refusal';
import { type Attempt, checkResponse, checkStored, type Request } from './both-checks';
import { kind, textOf } from './both-points';
import { type ServiceStep, START, World } from './both-world';
import { influxFaults, influxStep } from './influxdb-service';
import { creations, schedule, stepAfterwards, tables } from './timestream-service';

/** A client keeps a request that was not stored after this number of tries, and sends it again after the faults. */
const TRIES = 5;
const TRIES_AFTERWARDS = 15;

const outage = fc.record({ from: fc.nat(60_000), ms: fc.oneof(fc.nat(10_000), fc.nat(300_000)) });
const serviceStep: fc.Arbitrary<ServiceStep> = fc.oneof(
  { weight: 3, arbitrary: fc.constant('carry out' as const) },
  { weight: 2, arbitrary: fc.constantFrom('fail', 'throttle', 'lose after', 'hang' as const) },
);

const scenario = fc.record({
  requests: fc.array(
    fc.record({
      atMs: fc.nat(30_000),
      unit: fc.constantFrom<WritePrecision>('ns', 'ms', 's'),
      lines: fc.array(fc.record({ kind, table: fc.nat(1) }), { minLength: 1, maxLength: 10 }),
      /** Number of the first responses that the client does not receive. */
      lostResponses: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  timestream: fc.record({
    schedule: schedule.map((steps) => steps.slice(0, 12)),
    afterwards: fc.constant('carry out' as const),
    tables: tables.map((all) => all),
    databaseExists: fc.boolean(),
    creations: creations('throttle', 'conflict', 'deny', 'fault'),
    inactiveCalls: fc.nat(1),
  }),
  influxdb: influxFaults,
  outages: fc.array(
    fc.oneof(
      fc
        .record({ outage, step: stepAfterwards })
        .map(({ outage, step }) => ({ ...outage, step, of: 'timestream' as const })),
      fc.record({ outage, step: influxStep }).map(({ outage, step }) => ({ ...outage, step, of: 'influxdb' as const })),
    ),
    { maxLength: 3 },
  ),
  changes: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.tuple(fc.nat(20_000), fc.nat(40_000)).map(([a, b]): [number, number] => [a, a + b]) },
  ),
  secondaryRequired: fc.boolean(),
  asynchronous: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  influxdbOnly: fc.subarray(TIMESTREAM_LIMITS.slice(0, 3)),
  hasBucket: fc.boolean(),
  services: fc.array(serviceStep, { maxLength: 8 }),
  deadlineMs: fc.oneof(
    { weight: 2, arbitrary: fc.constant(4_500) },
    { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 5_000 }) },
  ),
  redriveAtMs: fc.option(fc.nat(200_000), { nil: undefined }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

export const bothEnd = fc.asyncProperty(scenario, async (given) => {
  const world = new World(given);
  const { clock } = world;
  const attempts: Attempt[] = [];
  const acknowledged: Attempt[] = [];
  let n = 0;

  const attempt = async (request: Request): Promise<Attempt> => {
    const time = START + Math.floor(clock.now());
    const { response, invocation } = await world.invoke({
      httpMethod: 'POST',
      path: '/api/v2/write',
      queryStringParameters: { org: 'o', bucket: 'b', precision: request.unit },
      body: request.lines.map((line) => `${textOf(line, request.unit)}\n`).join(''),
      requestContext: { requestTimeEpoch: time, requestId: `request-${n++}` },
    });
    assert.ok(response, 'no response');
    const made = { ...request, time, mode: invocation.mode, response };
    attempts.push(made);
    if (given.asynchronous) assert.ok([202, 429, 503].includes(response.statusCode), response.body);
    else checkResponse(made, invocation, given);
    return made;
  };
  /** Repeats the request as the responses ask for. Returns whether it was acknowledged. */
  const send = async (request: Request, tries: number, lostResponses: number): Promise<boolean> => {
    for (let number = 0; number < tries; number++) {
      const made = await attempt(request);
      const { statusCode, headers } = made.response;
      if (statusCode === 429 || statusCode === 503) {
        const seconds = Number(headers['Retry-After']);
        assert.ok(seconds >= 1 && seconds <= 30, `Retry-After: ${seconds}`);
        await clock.delay(seconds * 1_000);
      } else if (number >= lostResponses) {
        acknowledged.push(made);
        return true;
      }
    }
    return false;
  };

  const kept: Request[] = [];
  const clients = given.requests.map(async ({ atMs, lines, unit, lostResponses }) => {
    const request = { unit, lines: lines.map((line) => ({ ...line, n: n++ })) };
    await clock.delay(atMs);
    if (!(await send(request, TRIES, lostResponses))) kept.push(request);
  });
  const redrive = given.redriveAtMs === undefined ? [] : [clock.delay(given.redriveAtMs).then(() => world.redrive())];
  await Promise.all([...clients, ...redrive]);
  await world.finishEvents();
  const [, lastChange] = given.changes ?? [0, 0];
  await clock.delay(Math.max(0, lastChange - clock.now()));
  world.heal();
  // The circuit breaker lets a probe pass.
  await clock.delay(2_000);
  for (const request of kept) {
    assert.ok(await send(request, TRIES_AFTERWARDS, 0), 'a request is not stored although both destinations work');
  }
  await world.finishEvents();
  for (let round = 0; round < TRIES_AFTERWARDS && world.queue.some(isReplayable); round++) await world.redrive();
  assert.deepEqual(world.queue.filter(isReplayable), [], 'a message is not stored although both destinations work');
  await clock.delay(120_000);
  assert.deepEqual(world.violations, []);
  checkStored(world, attempts, acknowledged);
});

/** Messages with rejected lines stay as they are until a person has fixed the lines. */
const isReplayable = ({ rejectedLines }: { rejectedLines?: unknown }): boolean => rejectedLines === undefined;
