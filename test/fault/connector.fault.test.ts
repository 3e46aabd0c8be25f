/** A client writes to a connector while Timestream, or the network to it, fails: no acknowledged point is lost. */
import { DeleteTableCommand } from '@aws-sdk/client-timestream-write';
import type { Fault, Intercept } from '../../local/timestream/server';
import {
  type Connector,
  connectorBefore,
  DATABASE,
  numberedLines,
  type Stack,
  startStack,
} from '../contract/connector/harness';
import { TcpProxy, type Treatment } from '../support/tcp-proxy';
import { type Delivery, deliver, expectNothingLost, sendTo } from './telegraf';

const TABLE = 'faulty';
const LINES = numberedLines(TABLE, 2_000);

let stack: Stack;
afterEach(() => stack.close());

/** A stack with faults in WriteRecords calls. @param fault the fault of call `n`, from 0, over all requests */
async function startFaulty(fault: (n: number) => Fault | undefined, deadlineMs = 60_000): Promise<void> {
  let calls = 0;
  const intercept: Intercept = (operation) => (operation === 'WriteRecords' ? fault(calls++) : undefined);
  stack = await startStack({ intercept, environment: { write_deadline_millis: String(deadlineMs) } });
}

/** The lines with a record in the table. */
async function stored(): Promise<string[]> {
  const rows = await stack.select('n, value', TABLE);
  return rows.map(([n, value]) => (Number(n) === Number(value) ? (LINES[Number(n)] ?? '') : `${n} with ${value}`));
}

const others = (codes: (number | undefined)[], ...expected: (number | undefined)[]) =>
  codes.filter((code) => !expected.includes(code));

/** Pseudo-random numbers below `below`, the same in each run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each<[string, Fault]>([
  ['hangs in every fifth call', { kind: 'hang' }],
  ['responds to every fifth call after the deadline', { kind: 'delay', until: 2_000 }],
])('if Timestream %s, the client sees 503 and retries', async (_, fault) => {
  await startFaulty((n) => (n % 5 === 4 ? fault : undefined), 400);
  const delivery = await deliver(LINES, sendTo(stack), { batchSize: 100 });
  expect(others(delivery.statuses, 204, 503)).toEqual([]);
  expect(delivery.statuses).toContain(503);
  expectNothingLost(delivery, await stored());
});

test('if Timestream throttles permanently, the client sees 429 and keeps its points', async () => {
  await startFaulty((n) => (n >= 7 ? { kind: 'error', type: 'ThrottlingException' } : undefined), 300);
  const delivery = await deliver(LINES, sendTo(stack), { maxTries: 2 });
  expect(others(delivery.statuses, 204, 429)).toEqual([]);
  expect(delivery.kept.length).toBeGreaterThan(0);
  expectNothingLost(delivery, await stored(), { stays: true });
});

test('if records are rejected at random, 422 names their lines and all others are stored', async () => {
  const random = numbersFrom(7);
  let rejected = 0;
  await startFaulty((n) => {
    if (n % 2 === 0) return undefined;
    const RejectedRecords = [...new Set([random(50), random(50), random(50)])].map((RecordIndex) => ({
      RecordIndex,
      Reason: 'The measure value is not of the type of the column.',
    }));
    rejected += RejectedRecords.length;
    return { kind: 'error', type: 'RejectedRecordsException', status: 419, when: 'after', extra: { RejectedRecords } };
  });
  const delivery = await deliver(LINES, sendTo(stack), { batchSize: 50 });
  expect(others(delivery.statuses, 204, 422)).toEqual([]);
  const named = delivery.dropped.flatMap(({ lines, message }) =>
    [...message.matchAll(/line (\d+):/g)].map(([, place]) => lines[Number(place) - 1] ?? ''),
  );
  expect(named).toHaveLength(rejected);
  expectNothingLost(delivery, await stored(), { bad: named });
});

test('creates a table again that is deleted between two requests, and during one', async () => {
  let deletion: Promise<unknown> = Promise.resolve();
  const remove = () =>
    stack.timestream.write.send(new DeleteTableCommand({ DatabaseName: DATABASE, TableName: TABLE }));
  await startFaulty((n) => {
    if (n === 25) deletion = remove();
    return undefined;
  });
  const [first, second] = [LINES.slice(0, 1_000), LINES.slice(1_000)];
  expect((await deliver(first, sendTo(stack))).acknowledged).toEqual(first);
  await remove();
  const delivery = await deliver(second, sendTo(stack));
  await deletion;
  expect(others(delivery.statuses, 204, 503)).toEqual([]);
  expect(delivery.kept).toEqual([]);
  // Points in the deleted table were deleted, not lost: the client can send all of them again.
  expectNothingLost(await deliver(LINES, sendTo(stack)), await stored());
});

test('20 containers that find the same tables missing at the same time all succeed', async () => {
  await startFaulty(() => undefined);
  const containers = await Promise.all(Array.from({ length: 20 }, () => connectorBefore(stack.timestream.server.url)));
  const share = LINES.length / containers.length;
  const deliveries = await Promise.all(
    containers.map((container, index) => deliver(LINES.slice(index * share, (index + 1) * share), sendTo(container))),
  );
  await Promise.all(containers.map((container) => container.close()));
  expect(deliveries.flatMap(({ statuses }) => statuses)).toEqual(containers.map(() => 204));
  expectNothingLost(joined(deliveries), await stored());
});

function joined(deliveries: readonly Delivery[]): Delivery {
  return {
    statuses: deliveries.flatMap(({ statuses }) => statuses),
    acknowledged: deliveries.flatMap(({ acknowledged }) => acknowledged),
    dropped: deliveries.flatMap(({ dropped }) => dropped),
    kept: deliveries.flatMap(({ kept }) => kept),
  };
}

describe('the network between connector and Timestream', () => {
  let proxy: TcpProxy;
  let connector: Connector;
  afterEach(async () => {
    await connector.close();
    await proxy.stop();
  });

  async function startBehind(plan: (request: number) => Treatment, deadlineMs = 60_000): Promise<void> {
    await startFaulty(() => undefined);
    // Creates the table first: an interrupted creation is another case, with 503.
    await stack.write(LINES[0] ?? '');
    proxy = await TcpProxy.start(Number(new URL(stack.timestream.server.url).port));
    proxy.plan = plan;
    connector = await connectorBefore(proxy.url, { environment: { write_deadline_millis: String(deadlineMs) } });
  }

  test.each<[Treatment, number, number[]]>([
    ['drop before', 60_000, [204]],
    ['drop after', 60_000, [204]],
    ['trickle', 60_000, [204]],
    ['hang', 500, [204, 503]],
  ])('loses no point if it treats every fourth request as "%s"', async (treatment, deadlineMs, codes) => {
    await startBehind((request) => (request % 4 === 3 ? treatment : 'pass'), deadlineMs);
    const delivery = await deliver(LINES, sendTo(connector), { batchSize: 200 });
    expect(others(delivery.statuses, ...codes)).toEqual([]);
    expectNothingLost(delivery, await stored());
  });

  test('gets new connections after 3 s, within one request, if kept-alive connections are silently dead', async () => {
    await startBehind(() => 'pass');
    const first = await deliver(LINES.slice(0, 1_000), sendTo(connector), { batchSize: 1_000 });
    const connections = proxy.connections;
    proxy.freeze();
    const second = await deliver(LINES.slice(1_000), sendTo(connector), { batchSize: 1_000 });
    expect(second.statuses).toEqual([204]);
    expect(proxy.connections).toBeGreaterThan(connections);
    expectNothingLost(joined([first, second]), await stored());
  });
});
