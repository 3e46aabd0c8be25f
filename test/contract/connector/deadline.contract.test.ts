/** A request that is not stored in time, or only in part: what is answered, what still runs, and what a resend comes to. */
import type { Fault } from '../../../local/timestream/server';
import { errorIn, TAKEN_FOR_SUCCESS, writeEvent } from '../../connector-handler';
import { errorOf, numberedLines, type Stack, startStack, TIME } from './harness';

let stack: Stack;
afterEach(() => stack.close());

/** Lines of each table in calls of 100; the calls of `faulty` fail while `away` is true. */
const TABLES = ['calm', 'faulty', 'still'];
const LINES = TABLES.flatMap((table) => numberedLines(table, 250));

/** Makes the tables, so that calls do not end with their absence. */
async function makeTables(): Promise<void> {
  await sendUntilStored(TABLES.flatMap((table) => numberedLines(table, 1)));
}

/** As clients do; a busy machine may not store everything within the first deadline. */
async function sendUntilStored(lines: readonly string[]): Promise<void> {
  let status = 503;
  for (let tries = 0; status === 503 && tries < 10; tries++) status = (await stack.write(lines.join('\n'))).status;
  expect(status).toBe(204);
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
    let away = false;
    stack = await startStack({
      environment: { write_deadline_millis: '3000' },
      intercept: (operation, body) =>
        away && operation === 'WriteRecords' && (body as { TableName: string }).TableName === 'faulty'
          ? fault
          : undefined,
    });
    await makeTables();
    away = true;
    const response = await stack.write(LINES.join('\n'));
    expect(response.status).toBe(503);
    expect((await errorOf(response)).message).toMatch(/^250 points could not be stored/);
    for (const table of ['calm', 'still']) expect(await stack.count(table)).toBe(250);

    away = false;
    await sendUntilStored(LINES);
    await expectEveryPointOnce();
  },
);

test('where calls are carried out but their answers are lost, a resend stores no point twice', async () => {
  let away = false;
  stack = await startStack({
    environment: { write_deadline_millis: '3000' },
    intercept: (operation) => (away && operation === 'WriteRecords' ? { kind: 'drop', when: 'after' } : undefined),
  });
  await makeTables();
  away = true;
  expect((await stack.write(LINES.join('\n'))).status).toBe(503);
  // Some of them have been carried out nevertheless.
  expect(await stack.count('calm')).toBe(250);
  away = false;
  await sendUntilStored(LINES);
  await expectEveryPointOnce();
});

test.each<[string, Fault]>([
  ['hangs', { kind: 'hang' }],
  ['throttles', { kind: 'error', type: 'ThrottlingException' }],
  ['answers too late', { kind: 'delay', until: 60_000 }],
])('where Timestream %s, a Lambda about to time out answers first, and no call is left under way', async (_, fault) => {
  let away = true;
  stack = await startStack({
    intercept: (operation) => (away && operation === 'WriteRecords' ? fault : undefined),
  });
  const end = Date.now() + 1_300;
  const event = writeEvent(LINES.join('\n'), { requestContext: { requestTimeEpoch: TIME * 1_000 } });
  const response = await stack.handler(event, { getRemainingTimeInMillis: () => end - Date.now() });
  expect([429, 503]).toContain(response?.statusCode);
  expect(response?.headers['Retry-After']).toMatch(/^[1-9]\d*$/);
  expect(errorIn(response).message).toMatch(/ 750 points could not be stored in time|^750 points/);
  expect(errorIn(response).message).not.toMatch(TAKEN_FOR_SUCCESS);
  expect(stack.callsUnderWay()).toBe(0);

  away = false;
  await sendUntilStored(LINES);
  await expectEveryPointOnce();
});
