/** Requests that are not stored, or only partly stored, before the deadline: the response, calls in progress, and resends. */
import type { Fault } from '../../../local/timestream/server';
import { errorIn, TAKEN_FOR_SUCCESS, writeEvent } from '../../support/connector-handler';
import { DeadlineClock } from '../../support/deadline-clock';
import { errorOf, numberedLines, type Stack, startStack, TIME } from './harness';

let stack: Stack;
afterEach(() => stack.close());

/** The deadline passes once the calls of both healthy tables and `tries` calls of the third table have ended. */
class Outage {
  readonly clock = new DeadlineClock();
  down = false;
  private readonly ended = new Map<string, number>();

  constructor(readonly tries: Readonly<Record<string, number>>) {}

  readonly onCallEnd = (table: string): void => {
    if (!this.down) return;
    this.ended.set(table, (this.ended.get(table) ?? 0) + 1);
    if (Object.entries(this.tries).every(([name, tries]) => (this.ended.get(name) ?? 0) >= tries)) this.clock.expire();
  };

  end(): void {
    this.down = false;
    this.clock.reset();
  }
}

/** Each table has lines for several calls of 100 records; the calls of `faulty` fail while `down` is true. */
const TABLES = ['calm', 'faulty', 'still'];
const LINES = TABLES.flatMap((table) => numberedLines(table, 250));

/** Creates the tables, so that no call fails because its table is missing. */
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
  'if the calls of one table %s, the response counts its points, and a resend stores every point once',
  async (_, fault) => {
    const outage = new Outage({ calm: 3, still: 3, faulty: 2 });
    stack = await startStack({
      ...outage,
      intercept: (operation, body) =>
        outage.down && operation === 'WriteRecords' && (body as { TableName: string }).TableName === 'faulty'
          ? fault
          : undefined,
    });
    await makeTables();
    outage.down = true;
    const response = await stack.write(LINES.join('\n'));
    expect(response.status).toBe(503);
    expect((await errorOf(response)).message).toMatch(/^250 points could not be stored/);
    for (const table of ['calm', 'still']) expect(await stack.count(table)).toBe(250);

    outage.end();
    await send(LINES);
    await expectEveryPointOnce();
  },
);

test('a resend stores no point twice if calls were carried out but their responses were lost', async () => {
  const outage = new Outage({ calm: 3, still: 3, faulty: 3 });
  stack = await startStack({
    ...outage,
    intercept: (operation) =>
      outage.down && operation === 'WriteRecords' ? { kind: 'drop', when: 'after' } : undefined,
  });
  await makeTables();
  outage.down = true;
  expect((await stack.write(LINES.join('\n'))).status).toBe(503);
  // Some of the calls were carried out all the same.
  expect(await stack.count('calm')).toBe(250);
  outage.end();
  await send(LINES);
  await expectEveryPointOnce();
});

test.each<[string, Fault]>([
  ['hangs', { kind: 'hang' }],
  ['throttles', { kind: 'error', type: 'ThrottlingException' }],
  ['responds too late', { kind: 'delay', until: 60_000 }],
])(
  'if Timestream %s, the function responds before Lambda times out, and no call is still in progress',
  async (_, fault) => {
    const clock = new DeadlineClock();
    let down = true;
    stack = await startStack({
      clock,
      intercept: (operation) => {
        if (!down || operation !== 'WriteRecords') return undefined;
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

    down = false;
    clock.reset();
    await send(LINES);
    await expectEveryPointOnce();
  },
);
