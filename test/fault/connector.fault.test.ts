/** A client delivers through a connector whose Timestream, or the network before it, fails: nothing that it was told is stored is lost. */
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

/** A stack in which every WriteRecords call asks for its fault: `n` counts them from 0, over all requests. */
async function startFaulty(fault: (n: number) => Fault | undefined, deadlineMs = 60_000): Promise<void> {
  let calls = 0;
  const intercept: Intercept = (operation) => (operation === 'WriteRecords' ? fault(calls++) : undefined);
  stack = await startStack({ intercept, environment: { write_deadline_millis: String(deadlineMs) } });
}

/** The lines of which the table holds a record. */
async function stored(): Promise<string[]> {
  const rows = await stack.select('n, value', TABLE);
  return rows.map(([n, value]) => (Number(n) === Number(value) ? (LINES[Number(n)] ?? '') : `${n} with ${value}`));
}

const others = (codes: (number | undefined)[], ...expected: (number | undefined)[]) =>
  codes.filter((code) => !expected.includes(code));

/** Numbers below `below`, the same in each run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each<[string, Fault]>([
  ['hangs in every fifth call', { kind: 'hang' }],
  ['answers every fifth call after the deadline', { kind: 'delay', until: 2_000 }],
])('a Timestream that %s: the client sees 503, and repeats', async (_, fault) => {
  await startFaulty((n) => (n % 5 === 4 ? fault : undefined), 400);
  const delivery = await deliver(LINES, sendTo(stack), { batchSize: 100 });
  expect(others(delivery.statuses, 204, 503)).toEqual([]);
  expect(delivery.statuses).toContain(503);
  expectNothingLost(delivery, await stored());
});

test('a Timestream that throttles for good: the client sees 429 and keeps its points', async () => {
  await startFaulty((n) => (n >= 7 ? { kind: 'error', type: 'ThrottlingException' } : undefined), 300);
  const delivery = await deliver(LINES, sendTo(stack), { mostTries: 2 });
  expect(others(delivery.statuses, 204, 429)).toEqual([]);
  expect(delivery.kept.length).toBeGreaterThan(0);
  expectNothingLost(delivery, await stored(), { stays: true });
});

test('records rejected at random: 422 names their lines, all others are stored', async () => {
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

test('a table that is deleted between two requests, and during one, is made again for what comes then', async () => {
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
  // What went with the table was deleted, not lost: all of it can be sent again, and stays.
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
    // The table is there: a creation that is cut off is another matter, and 503.
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
  ])('that treats every fourth request as "%s" costs no point', async (treatment, deadlineMs, codes) => {
    await startBehind((request) => (request % 4 === 3 ? treatment : 'pass'), deadlineMs);
    const delivery = await deliver(LINES, sendTo(connector), { batchSize: 200 });
    expect(others(delivery.statuses, ...codes)).toEqual([]);
    expectNothingLost(delivery, await stored());
  });

  test('whose kept-alive connections went dead without a word is left after 3 s for new ones, within one request', async () => {
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
