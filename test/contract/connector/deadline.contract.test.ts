/** A request that is not stored in time, or only in part: what is answered, what still runs, and what a resend comes to. */
import type { Fault } from '../../../local/timestream/server';
import { errorIn, TAKEN_FOR_SUCCESS, writeEvent } from '../../support/connector-handler';
import { DeadlineClock } from '../../support/deadline-clock';
import { errorOf, numberedLines, type Stack, startStack, TIME } from './harness';

let stack: Stack;
afterEach(() => stack.close());

/** The deadline passes once the calls of both healthy tables have ended, and `tries` of the third. */
class Outage {
  readonly clock = new DeadlineClock();
  away = false;
  private readonly ended = new Map<string, number>();

  constructor(readonly tries: Readonly<Record<string, number>>) {}

  readonly onCallEnd = (table: string): void => {
    if (!this.away) return;
    this.ended.set(table, (this.ended.get(table) ?? 0) + 1);
    if (Object.entries(this.tries).every(([name, tries]) => (this.ended.get(name) ?? 0) >= tries)) this.clock.expire();
  };

  end(): void {
    this.away = false;
    this.clock.reset();
  }
}

/** Lines of each table in calls of 100; the calls of `faulty` fail while `away` is true. */
const TABLES = ['calm', 'faulty', 'still'];
const LINES = TABLES.flatMap((table) => numberedLines(table, 250));

/** Makes the tables, so that calls do not end with their absence. */
async function makeTables(): Promise<void> {
  await send(TABLES.flatMap((table) => numberedLines(table, 1)));
}

async function send(lines: readonly string[]): Promise<void> {
  expect((await stack.write(lines.join('\n'))).status).toBe(204);
}

async function expectEveryPointOnce(): Promise<void> {
  for (const table of TABLES) {
    const rows = (await stack.select('n', table)).map(([n]) => Number(n)).sort((a, b) => a - b);
    expect(rows).toEqual(Array.from({ length: 250 }, (_, n) => n));
  }
}

test.each<[string, Fault]>([
  ['fail', { kind: 'error', type: 'InternalServerException' }],
  ['are denied', { kind: 'error', type: 'AccessDeniedException' }],
  ['break before they are carried out', { kind: 'drop', when: 'before' }],
])(
  'where the calls of one table %s, the answer counts its points, and a resend of all stores each once',
  async (_, fault) => {
    const outage = new Outage({ calm: 3, still: 3, faulty: 2 });
    stack = await startStack({
      ...outage,
      intercept: (operation, body) =>
        outage.away && operation === 'WriteRecords' && (body as { TableName: string }).TableName === 'faulty'
          ? fault
          : undefined,
    });
    await makeTables();
    outage.away = true;
    const response = await stack.write(LINES.join('\n'));
    expect(response.status).toBe(503);
    expect((await errorOf(response)).message).toMatch(/^250 points could not be stored/);
    for (const table of ['calm', 'still']) expect(await stack.count(table)).toBe(250);

    outage.end();
    await send(LINES);
    await expectEveryPointOnce();
  },
);

test('where calls are carried out but their answers are lost, a resend stores no point twice', async () => {
  const outage = new Outage({ calm: 3, still: 3, faulty: 3 });
  stack = await startStack({
    ...outage,
    intercept: (operation) =>
      outage.away && operation === 'WriteRecords' ? { kind: 'drop', when: 'after' } : undefined,
  });
  await makeTables();
  outage.away = true;
  expect((await stack.write(LINES.join('\n'))).status).toBe(503);
  // Some of them have been carried out nevertheless.
  expect(await stack.count('calm')).toBe(250);
  outage.end();
  await send(LINES);
  await expectEveryPointOnce();
});

test.each<[string, Fault]>([
  ['hangs', { kind: 'hang' }],
  ['throttles', { kind: 'error', type: 'ThrottlingException' }],
  ['answers too late', { kind: 'delay', until: 60_000 }],
])('where Timestream %s, a Lambda about to time out answers first, and no call is left under way', async (_, fault) => {
  const clock = new DeadlineClock();
  let away = true;
  stack = await startStack({
    clock,
    intercept: (operation) => {
      if (!away || operation !== 'WriteRecords') return undefined;
      clock.expire();
      return fault;
    },
  });
  const event = writeEvent(LINES.join('\n'), { requestContext: { requestTimeEpoch: TIME * 1_000 } });
  const response = await stack.handler(event, { getRemainingTimeInMillis: () => 1_300 });
  expect(clock.requested).toEqual([300]);
  expect([429, 503]).toContain(response?.statusCode);
  expect(response?.headers['Retry-After']).toMatch(/^[1-9]\d*$/);
  expect(errorIn(response).message).toMatch(/ 750 points could not be stored in time|^750 points/);
  expect(errorIn(response).message).not.toMatch(TAKEN_FOR_SUCCESS);
  expect(stack.callsUnderWay()).toBe(0);

  away = false;
  clock.reset();
  await send(LINES);
  await expectEveryPointOnce();
});
