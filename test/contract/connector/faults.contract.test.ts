/** Faults of Timestream and of the network: acknowledged points are stored, and clients get the right status. */
import type { Fault, Intercept } from '../../../local/timestream/server';
import { TAKEN_FOR_SUCCESS } from '../../support/connector-handler';
import { connectorBefore, errorOf, numberedLines, type Stack, startStack, TIME } from './harness';

let stack: Stack;
afterEach(() => stack.close());

/** A stack with a fault for each WriteRecords call; `n` counts the calls from 0, over all requests. */
async function startFaulty(
  fault: (n: number, body: string) => Fault | undefined,
  environment: Record<string, string> = {},
): Promise<void> {
  let calls = 0;
  const intercept: Intercept = (operation, body) =>
    operation === 'WriteRecords' ? fault(calls++, JSON.stringify(body)) : undefined;
  stack = await startStack({ intercept, environment });
}

const error = (type: string, more: Partial<Fault> = {}): Fault => ({ kind: 'error', type, ...more }) as Fault;

/** Sends a body until it is stored, as clients do. Returns the statuses of the responses. */
async function writeUntilStored(body: string): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < 100 && statuses.at(-1) !== 204) statuses.push((await stack.write(body)).status);
  expect(statuses.at(-1)).toBe(204);
  return statuses.slice(0, -1);
}

async function expectAllStored(table: string, lines: number): Promise<void> {
  const rows = await stack.select('n', table);
  expect(rows.map(([n]) => Number(n)).sort((a, b) => a - b)).toEqual(Array.from({ length: lines }, (_, n) => n));
}

test.each<[string, (n: number) => Fault | undefined]>([
  ['throttles every second call', (n) => (n % 2 === 0 ? error('ThrottlingException') : undefined)],
  ['returns 500 for every third call', (n) => (n % 3 === 0 ? error('InternalServerException') : undefined)],
  [
    'carries a call out and returns 503',
    (n) => (n % 3 === 0 ? error('Fault', { status: 503, when: 'after' }) : undefined),
  ],
  ['breaks connections before the call', (n) => (n % 3 === 0 ? { kind: 'drop', when: 'before' } : undefined)],
  ['breaks connections after the call', (n) => (n % 3 === 0 ? { kind: 'drop', when: 'after' } : undefined)],
  ['loses a table in the middle', (n) => (n === 7 ? error('ResourceNotFoundException') : undefined)],
])('if Timestream %s, every point is stored once and the client gets 204', async (_, fault) => {
  await startFaulty(fault);
  const response = await stack.write(numberedLines('faulty', 1_050).join('\n'));
  expect([response.status, await response.text()]).toEqual([204, '']);
  await expectAllStored('faulty', 1_050);
});

test.each<[string, number, Fault]>([
  ['throttles', 429, error('ThrottlingException')],
  ['fails', 503, error('InternalServerException', { message: 'partial write: unable to parse' })],
  ['does not respond', 503, { kind: 'hang' }],
  ['breaks every connection', 503, { kind: 'drop', when: 'before' }],
  ['denies access', 503, error('AccessDeniedException', { message: 'User: arn:aws:iam::123456789012:user/me' })],
])(
  'if Timestream %s until the deadline, the client gets %i and a resend stores every point once',
  async (_, status, fault) => {
    let down = true;
    await startFaulty((n) => (down && n > 1 ? fault : undefined), { write_deadline_millis: '500' });
    const lines = numberedLines('down', 400).join('\n');
    const response = await stack.write(lines);
    const { message } = await errorOf(response);
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(message).not.toMatch(TAKEN_FOR_SUCCESS);
    expect(message).not.toContain('arn:');
    down = false;
    await writeUntilStored(lines);
    await expectAllStored('down', 400);
  },
);

test.each<[string, string]>([
  ['AccessDeniedException', 'Timestream denies access'],
  ['UnrecognizedClientException', "does not accept the connector's credentials"],
  ['InvalidSignatureException', "does not accept the connector's credentials"],
  ['ExpiredTokenException', "does not accept the connector's credentials"],
  ['RequestExpired', 'correct the clock'],
  ['ServiceQuotaExceededException', 'a quota of the AWS account is exhausted'],
])('the response names a permanent cause: %s', async (type, says) => {
  await startFaulty(() => error(type, { message: 'User: arn:aws:iam::123456789012:user/me' }));
  const response = await stack.write(numberedLines('refused', 10).join('\n'));
  expect(response.status).toBe(503);
  const { message } = await errorOf(response);
  expect(message).toMatch(/^10 points could not be stored: /);
  expect(message).toContain(says);
  expect(message).toContain(`(${type})`);
  expect(message).not.toMatch(/arn:|in time/);
  expect(message).not.toMatch(TAKEN_FOR_SUCCESS);
});

test('the response says that Timestream cannot be reached', async () => {
  await startFaulty(() => undefined);
  const down = await connectorBefore('http://127.0.0.1:1', { environment: { write_deadline_millis: '300' } });
  const response = await down.write(numberedLines('down', 10).join('\n'));
  await down.close();
  expect(response.status).toBe(503);
  expect((await errorOf(response)).message).toMatch(
    /^10 points could not be stored: Timestream cannot be reached: .*\(ECONNREFUSED\)/,
  );
});

test('a table with only invalid records does not block the client: its resends end with 422', async () => {
  await startFaulty(
    (_, body) => (body.includes('"cursed"') ? error('ValidationException', { message: 'cursed.' }) : undefined),
    { write_deadline_millis: '400' },
  );
  const lines = [...numberedLines('cursed', 600), ...numberedLines('good', 100)].join('\n');
  const statuses: number[] = [];
  let response = await stack.write(lines);
  for (; response.status === 503 && statuses.length < 100; response = await stack.write(lines)) {
    statuses.push(response.status);
    await response.body?.cancel();
  }
  expect(response.status).toBe(422);
  expect((await errorOf(response)).message).toMatch(/dropped=600$/);
  expect(await stack.count('good')).toBe(100);
});

test('the response names records for which Timestream refuses whole calls; all other records are stored', async () => {
  const bad = [17, 18, 444, 999];
  const isBad = (body: string) => bad.some((n) => body.includes(`"Name":"n","Value":"${n}","Type":"BIGINT"`));
  await startFaulty((_, body) =>
    isBad(body) ? error('ValidationException', { message: 'The record is cursed.' }) : undefined,
  );
  const response = await stack.write(numberedLines('cursed', 1_000).join('\n'));
  expect(response.status).toBe(422);
  const { message } = await errorOf(response);
  expect(message.match(/line \d+: [^\n]*cursed\./g)).toEqual(bad.map((n) => `line ${n + 1}: The record is cursed.`));
  expect(message).toMatch(/^failure writing points to database: partial write: .* dropped=4$/s);
  expect(await stack.count('cursed')).toBe(996);
});

test('of 5,000 lines with 7 invalid ones, 4,993 are stored and the response names 7 with line and reason', async () => {
  await startFaulty(() => undefined);
  const lines = numberedLines('big', 5_000);
  // The first write sets the type of a column.
  expect((await stack.write(lines[0] ?? '')).status).toBe(204);
  const at = (n: number) => `${TIME + n}000000000`;
  const bad: [number, string, RegExp][] = [
    [100, 'big,host=a value=', /unable to parse 'big,host=a value=': at line 101:18: /],
    [700, `big,host=a value=nan ${at(700)}`, /unable to parse '.*': at line 701:18: /],
    [
      1_500,
      `big,host=a ts_value=1 ${at(1_500)}`,
      /line 1501: field 'ts_value': names that begin with 'ts_' are reserved/,
    ],
    [2_345, `big value=1 ${at(2_345)}`, /line 2346: the point has no tags.*DefaultDimension/],
    [3_000, `big,host=a n=9223372036854775808u ${at(3_000)}`, /line 3001: field 'n': .*above 9223372036854775807/],
    [4_000, `big,host=a value="text" ${at(4_000)}`, /line 4001: .*type/i],
    [4_999, `big,host=a value=1 631152000000000000`, /line 5000: .*outside the time range/],
  ];
  for (const [n, line] of bad) lines[n] = line;
  const response = await stack.write(lines.join('\n'));
  expect(response.status).toBe(400);
  const { message } = await errorOf(response);
  expect(message).toMatch(/^partial write: .* dropped=7$/s);
  const reasons = message.replace(/^partial write: | dropped=7$/g, '').split('\n');
  expect(reasons).toHaveLength(7);
  for (const [index, [, , reason]] of bad.entries()) expect(reasons[index]).toMatch(reason);
  expect(await stack.count('big')).toBe(4_993);
});

test('returns 422 if Timestream rejects every record', async () => {
  await startFaulty(() => undefined);
  const response = await stack.write(`rejected,host=a v=1 631152000000000000\nrejected,host=a v=2 ${TIME}000000000`);
  expect(response.status).toBe(422);
  expect(response.headers.get('x-platform-error-code')).toBe('unprocessable entity');
  expect(await stack.select('v', 'rejected')).toEqual([['2.0']]);
});

test('tables above MaxNewTables are not created; the points of other tables are stored', async () => {
  const environment = { max_new_tables: '2' };
  await startFaulty(() => undefined, environment);
  expect((await stack.write(numberedLines('known', 10).join('\n'))).status).toBe(204);
  const lines = ['known', 'a', 'b', 'c'].map((table) => `${table},host=x v=1 ${TIME}000000000`);
  const response = await stack.write(lines.join('\n'));
  expect(response.status).toBe(422);
  expect((await errorOf(response)).message).toMatch(
    /line 2: .*MaxNewTables allows 2.*\nline 3: .*\nline 4: .* dropped=3$/,
  );
  expect(await stack.count('known')).toBe(11);
  expect((await stack.write(lines.slice(0, 3).join('\n'))).status).toBe(204);
});

test('if table creation is disabled, points of missing tables are rejected with the parameter to set', async () => {
  stack = await startStack({ environment: { enable_table_creation: 'false' } });
  const response = await stack.write(`absent,host=x v=1 ${TIME}000000000`);
  expect(response.status).toBe(422);
  expect((await errorOf(response)).message).toContain(
    "table 'absent' does not exist, and EnableTableCreation is false",
  );
});

test('a client that resends until 204 stores every point once, whatever fails in between', async () => {
  const faults: (Fault | undefined)[] = [
    error('ThrottlingException'),
    error('InternalServerException', { when: 'after' }),
    { kind: 'drop', when: 'before' },
    { kind: 'drop', when: 'after' },
    error('ResourceNotFoundException'),
    error('Fault', { status: 503 }),
    { kind: 'delay', until: Promise.resolve() },
  ];
  let state = 20_240_301;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  await startFaulty(() => (random(100) < 35 ? faults[random(faults.length)] : undefined), {
    write_deadline_millis: '400',
  });
  const lines = 1_000;
  const failures = await writeUntilStored(numberedLines('stormy', lines).join('\n'));
  expect(failures.filter((status) => status !== 429 && status !== 503)).toEqual([]);
  await expectAllStored('stormy', lines);
});

test("Home Assistant's measurements are stored in escaped tables; if that is off, the response names the parameter", async () => {
  const lines = ['°C', '%', 'm³/h', 'kWh'].map(
    (unit) => `${unit},domain=sensor,entity_id=kitchen value=21.5 ${TIME}000000000`,
  );
  stack = await startStack({ environment: { escape_names: 'true' } });
  expect((await stack.write(lines.join('\n'))).status).toBe(204);
  for (const table of ['_..C2.B0C', '_..25', '_.m.C2.B3.2Fh', 'kWh']) {
    expect(await stack.select('entity_id, value', table)).toEqual([['kitchen', '21.5']]);
  }
  const plain = await connectorBefore(stack.timestream.server.url);
  const response = await plain.write(lines.join('\n'));
  await plain.close();
  expect(response.status).toBe(422);
  expect((await errorOf(response)).message).toMatch(/line 1: '°C' is not a valid table name.*EscapeNames.*dropped=3$/s);
});

test.each([false, true])(
  "Proxmox's points are stored, although some have a tag named like a field of others; reversed: %s",
  async (reversed) => {
    await startFaulty(() => undefined);
    const lines = [
      `system,object=lxc,vmid=101,nodename=pve1,host=ct1 cpu=0.01,name="ct1",type="lxc",uptime=120,vmid=101 ${TIME}000000000`,
      `system,object=storages,nodename=pve1,host=local,type=dir active=1,content="iso",type="dir" ${TIME}000000000`,
    ];
    for (const line of reversed ? lines.reverse() : lines) expect((await stack.write(line)).status).toBe(204);
    expect((await stack.select('object, type, type_field', 'system')).sort()).toEqual([
      ['lxc', null, 'lxc'],
      ['storages', 'dir', 'dir'],
    ]);
  },
);
