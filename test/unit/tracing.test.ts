import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { ConfigurationError } from 'shared/errors';
import { createTracer, NO_TRACER } from 'shared/tracing';
import { loadTracingConfig } from 'shared/tracing-config';

const ROOT = '1-5759e988-bd862e3fe1be46a994272793';
const PARENT = '53995c3f42cd8ad8';
const SAMPLED = `Root=${ROOT};Parent=${PARENT};Sampled=1;Lineage=1:a87bd80c:0`;

/** Receives datagrams as the X-Ray daemon does. */
let daemon: Socket;
let received: string[];

beforeEach(async () => {
  received = [];
  daemon = createSocket('udp4');
  daemon.on('message', (datagram) => received.push(datagram.toString()));
  daemon.bind(0, '127.0.0.1');
  await once(daemon, 'listening');
});
afterEach(() => daemon.close());

const environment = (header: string | undefined, address = `127.0.0.1:${daemon.address().port}`) => ({
  ENABLE_TRACING: 'true',
  AWS_XRAY_DAEMON_ADDRESS: address,
  _X_AMZN_TRACE_ID: header,
});
const tracerOf = (header: string | undefined, address?: string) =>
  createTracer(loadTracingConfig(environment(header, address)));

async function documents(count: number): Promise<Record<string, unknown>[]> {
  while (received.length < count) await once(daemon, 'message');
  return received.map((datagram) => {
    const [format = '', document = ''] = datagram.split('\n');
    expect(JSON.parse(format)).toEqual({ format: 'json', version: 1 });
    return JSON.parse(document) as Record<string, unknown>;
  });
}

// The form is that of "X-Ray segment documents" in the AWS X-Ray developer guide.
test('sends a subsegment of the invocation to the daemon', async () => {
  const tracer = tracerOf(SAMPLED);
  tracer.annotate({ request_id: 'r-1' });
  expect(await tracer.trace('decode', () => Promise.resolve(7))).toBe(7);
  const [subsegment = {}] = await documents(1);
  expect(subsegment).toEqual({
    name: 'decode',
    id: expect.stringMatching(/^[0-9a-f]{16}$/),
    trace_id: ROOT,
    parent_id: PARENT,
    type: 'subsegment',
    start_time: expect.any(Number),
    end_time: expect.any(Number),
    annotations: { request_id: 'r-1' },
  });
  const { start_time: start, end_time: end } = subsegment as Record<string, number>;
  expect(Math.abs((start ?? 0) - Date.now() / 1000)).toBeLessThan(60);
  expect(end).toBeGreaterThanOrEqual(start ?? Number.POSITIVE_INFINITY);
});

test('marks failed work, rethrows its error, and does not send its message', async () => {
  const failure = new RangeError('the line contains a secret');
  await expect(tracerOf(SAMPLED).trace('write', () => Promise.reject(failure))).rejects.toBe(failure);
  const [subsegment] = await documents(1);
  expect(subsegment).toMatchObject({ fault: true, cause: { exceptions: [{ type: 'RangeError' }] } });
  expect(received.join('')).not.toContain('secret');
});

test.each([
  ['the trace is not sampled', SAMPLED.replace('Sampled=1', 'Sampled=0')],
  ['there is no trace', undefined],
  ['the header has no parent', `Root=${ROOT};Sampled=1`],
])('sends nothing if %s', async (_, header) => {
  expect(await tracerOf(header).trace('decode', () => Promise.resolve(7))).toBe(7);
  // Datagrams on the loopback arrive in order, so an earlier one would have arrived before this one.
  await tracerOf(SAMPLED).trace('sentinel', () => Promise.resolve());
  expect(await documents(1)).toEqual([expect.objectContaining({ name: 'sentinel' })]);
});

test('reads the trace of each invocation', async () => {
  const changing: Record<string, string | undefined> = environment(SAMPLED);
  const tracer = createTracer(loadTracingConfig(changing));
  await tracer.trace('first', () => Promise.resolve());
  changing._X_AMZN_TRACE_ID = SAMPLED.replace(PARENT, '1111111111111111');
  await tracer.trace('second', () => Promise.resolve());
  expect((await documents(2)).map(({ parent_id }) => parent_id)).toEqual([PARENT, '1111111111111111']);
});

test('work succeeds although no daemon listens', async () => {
  const { port } = daemon.address();
  expect(await tracerOf(SAMPLED, `127.0.0.1:${port === 1 ? 2 : 1}`).trace('decode', () => Promise.resolve(7))).toBe(7);
});

test('accepts the long form of the address', () => {
  const config = loadTracingConfig(environment(SAMPLED, 'tcp:127.0.0.1:2001 udp:127.0.0.2:2002'));
  expect(config?.daemon).toEqual({ host: '127.0.0.2', port: 2002 });
});

test('refuses an address that is not valid', () => {
  expect(() => tracerOf(SAMPLED, 'here')).toThrow(ConfigurationError);
});

test.each([{}, { ENABLE_TRACING: 'false', AWS_XRAY_DAEMON_ADDRESS: 'here' }])('records nothing with %p', (given) => {
  expect(createTracer(loadTracingConfig(given))).toBe(NO_TRACER);
});
