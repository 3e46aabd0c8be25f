/** The responses to clients: the worst outcome decides, with InfluxDB's codes and without internals. */
import { getMaxListeners, once } from 'node:events';
import type { ServiceResponse } from 'shared/timestream/service';
import {
  ASYNCHRONOUS,
  errorIn,
  type HandlerOptions,
  handlerOf,
  TAKEN_FOR_SUCCESS,
  writeEvent,
} from '../../support/connector-handler';
import { DeadlineClock } from '../../support/deadline-clock';
import { answer } from '../../support/timestream-model';

/** A service with error texts that clients would treat as success. */
const PHRASES = 'partial write, unable to parse, points beyond retention policy, hinted handoff queue not empty';
const GOOD = 'm,t=1 v=1 1';
const FAULTY = 'broken';
const REJECTED = 'm,time=1 v=1 1';

const STORED: ServiceResponse = { status: 200, body: Buffer.from('{}') };
const REFUSED = answer(419, 'RejectedRecordsException', { RejectedRecords: [{ RecordIndex: 0, Reason: 'too old' }] });
const THROTTLED = answer(400, 'ThrottlingException', { message: PHRASES });
const DENIED = answer(400, 'AccessDeniedException', {
  message: `arn:aws:iam::123456789012:role/x ${PHRASES}`,
});

const answering = (given: ServiceResponse, environment = {}): HandlerOptions => ({
  send: () => Promise.resolve(given),
  environment,
});
const SOON = { write_deadline_millis: '100' };

test.each<[string, string, HandlerOptions, number, string | undefined]>([
  ['every line is stored', GOOD, answering(STORED), 204, undefined],
  ['an invalid line', `${GOOD}\n${FAULTY}`, answering(STORED), 400, 'invalid'],
  ['a line above a limit', `${GOOD}\n${REJECTED}`, answering(STORED), 422, 'unprocessable entity'],
  ['a record that the service rejects', GOOD, answering(REFUSED), 422, 'unprocessable entity'],
  ['an invalid line and a rejected line', `${GOOD}\n${FAULTY}\n${REJECTED}`, answering(STORED), 400, 'invalid'],
  ['only invalid lines', FAULTY, answering(STORED), 400, 'invalid'],
  ['an invalid line, and a valid line that is not stored', `${GOOD}\n${FAULTY}`, answering(DENIED), 503, 'unavailable'],
  [
    'a rejected line, and a throttled valid line',
    `${GOOD}\n${REJECTED}`,
    answering(THROTTLED, SOON),
    429,
    'too many requests',
  ],
])('%s', async (_, body, options, status, code) => {
  const response = await handlerOf(options).handle(writeEvent(body));
  expect(response?.statusCode).toBe(status);
  expect(response?.headers['X-Platform-Error-Code']).toBe(code);
  expect(response?.headers['X-Influxdb-Version']).toMatch(/^2\./);
  if (code === undefined) return expect(response?.body).toBe('');
  const error = errorIn(response);
  expect(Object.keys(error)).toEqual(['code', 'message']);
  expect(error.code).toBe(code);
  const temporary = status === 429 || status === 503;
  expect(response?.headers['Retry-After']).toEqual(temporary ? expect.stringMatching(/^[1-9]\d*$/) : undefined);
  if (temporary) expect(error.message).not.toMatch(TAKEN_FOR_SUCCESS);
});

test('the message says "partial write" only if something was stored', async () => {
  const message = async (body: string) => errorIn(await handlerOf().handle(writeEvent(body))).message;
  expect(await message(FAULTY)).toMatch(/^unable to parse 'broken': at line 1:\d+: .* dropped=1$/);
  expect(await message(`${FAULTY}\n${GOOD}`)).toMatch(/^partial write: unable to parse 'broken': .* dropped=1$/);
  expect(await message(REJECTED)).toBe(
    "failure writing points to database: partial write: line 1: tag 'time': the name is reserved; set EscapeNames (--escape-names true) to store it under an escaped name dropped=1",
  );
});

test('the response lists at most the first 100 lines, and then a count', async () => {
  const lines = Array.from({ length: 350 }, (_, n) => (n % 3 === 0 ? FAULTY : n % 3 === 1 ? REJECTED : GOOD));
  const { message } = errorIn(await handlerOf().handle(writeEvent(lines.join('\n'))));
  const reasons = message.replace(/^partial write: /, '').split('\n');
  expect(reasons).toHaveLength(101);
  expect(reasons.at(-1)).toBe('and 134 more lines dropped=234');
  const numbers = reasons.slice(0, 100).map((reason) => Number(/line (\d+)/.exec(reason)?.[1]));
  const bad = Array.from({ length: 350 }, (_, n) => n + 1).filter((n) => n % 3 !== 0);
  expect(numbers).toEqual(bad.slice(0, 100));
});

test('lines that the service rejects are listed in line order too', async () => {
  const lines = [GOOD, ...Array.from({ length: 150 }, () => FAULTY)];
  const { message } = errorIn(await handlerOf(answering(REFUSED)).handle(writeEvent(lines.join('\n'))));
  expect(message.split('\n')[0]).toBe('line 1: too old');
  expect(message).toMatch(/\nand 51 more lines dropped=151$/);
});

describe('paths and methods', () => {
  const respond = (path: string, httpMethod: string, resource = '/{proxy+}') =>
    handlerOf().handle(writeEvent(GOOD, { path, resource, httpMethod }));

  test.each(['/', '/api/v2', '/api/v2/write/x', '/constructor', '/__proto__', '/API/V2/WRITE', '//', ''])(
    '404 for %s',
    async (path) => {
      const response = await respond(path, 'POST');
      expect([response?.statusCode, errorIn(response)]).toEqual([
        404,
        { code: 'not found', message: 'path not found: send writes to POST /api/v2/write' },
      ]);
    },
  );

  test.each([
    ['/api/v2/write', 'GET', 'POST'],
    ['/write', 'PUT', 'POST, OPTIONS'],
    ['/ping', 'POST', 'GET, HEAD, OPTIONS'],
    ['/api/v2/write', 'constructor', 'POST'],
  ])('405 for %s with %s allows %s', async (path, method, allow) => {
    const response = await respond(path, method);
    expect([response?.statusCode, response?.headers.Allow]).toEqual([405, allow]);
    expect(errorIn(response).code).toBe('method not allowed');
  });

  test.each(['GET', 'HEAD', 'get'])('/ping with %s', async (method) => {
    expect(await respond('/ping', method)).toMatchObject({ statusCode: 204, body: '' });
  });

  test('/ready', async () => {
    const response = await respond('/ready', 'GET');
    expect(JSON.parse(response?.body ?? '')).toEqual({
      status: 'ready',
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      up: expect.stringMatching(/^\d+s$/),
    });
  });

  test.each([
    ['pass', 200, () => Promise.resolve()],
    ['fail', 503, () => Promise.reject(new Error('secret internals'))],
  ])('/health: %s', async (status, code, checkTimestream) => {
    const { handle } = handlerOf({ checkTimestream });
    const response = await handle(writeEvent('', { resource: '/health', httpMethod: 'GET' }));
    expect(response?.statusCode).toBe(code);
    expect(JSON.parse(response?.body ?? '')).toEqual({
      name: 'influxdb',
      message: expect.any(String),
      checks: [{ name: 'timestream', status, message: expect.any(String) }],
      status,
      version: expect.stringMatching(/^2\./),
      commit: expect.any(String),
    });
    expect(response?.body).not.toContain('secret');
  });
});

test('an unexpected failure returns 500 without internals, and is logged', async () => {
  const cause = new Error('connect to /var/task/secret failed');
  const { handle, logger } = handlerOf();
  logger.info = () => {
    throw cause;
  };
  const response = await handle(writeEvent(GOOD));
  expect(response?.statusCode).toBe(500);
  expect(errorIn(response)).toEqual({ code: 'internal error', message: 'an internal error has occurred' });
  expect(JSON.stringify(response)).not.toMatch(/secret|\.ts|\bat\b .*:\d+/);
  expect(logger.entries).toEqual([{ message: 'unexpected failure', fields: { error: cause } }]);
});

describe('a write that cannot be handed over', () => {
  const failing = (name: string) => () => Promise.reject(Object.assign(new Error('secret'), { name }));
  test.each([
    [429, 'TooManyRequestsException'],
    [503, 'ServiceException'],
  ])('returns %i after %s, with Retry-After', async (status, name) => {
    const { handle } = handlerOf({ environment: ASYNCHRONOUS, invokeSelf: failing(name) });
    const response = await handle(writeEvent(GOOD));
    expect(response).toMatchObject({ statusCode: status, headers: { 'Retry-After': expect.stringMatching(/^\d+$/) } });
    expect(response?.body).not.toContain('secret');
  });

  test('is aborted at the deadline, and no call continues', async () => {
    const clock = new DeadlineClock();
    let underWay = 0;
    const invokeSelf = async (_event: unknown, signal: AbortSignal) => {
      underWay++;
      clock.expire();
      await once(signal, 'abort');
      underWay--;
      throw signal.reason;
    };
    const response = await handlerOf({ environment: ASYNCHRONOUS, invokeSelf, clock }).handle(writeEvent(GOOD));
    expect(response?.statusCode).toBe(503);
    expect(underWay).toBe(0);
  });
});

describe('the deadline', () => {
  const hang = (_body: Uint8Array, signal: AbortSignal): Promise<ServiceResponse> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

  /** The deadline that was set, ms, and the status of the response once it has passed. */
  async function deadlineOf(environment: Record<string, string>, remainingMs?: number) {
    const clock = new DeadlineClock();
    const send = (body: Uint8Array, signal: AbortSignal) => {
      const hanging = hang(body, signal);
      clock.expire();
      return hanging;
    };
    const context = remainingMs === undefined ? undefined : { getRemainingTimeInMillis: () => remainingMs };
    const response = await handlerOf({ send, environment, clock }).handle(writeEvent(GOOD), context);
    return [clock.requested, response?.statusCode];
  }

  test('comes from the configuration', async () => {
    expect(await deadlineOf({ write_deadline_millis: '2500' })).toEqual([[2_500], 503]);
    expect(await deadlineOf({ write_deadline_millis: '2500' }, 30_000)).toEqual([[2_500], 503]);
  });

  test('leaves API Gateway a second to respond', async () => {
    const environment = { write_deadline_millis: '900000', rest_api_gateway_timeout_in_millis: '29000' };
    expect(await deadlineOf(environment)).toEqual([[28_000], 503]);
  });

  test('leaves Lambda a second to respond', async () => {
    const environment = { write_deadline_millis: '900000', rest_api_gateway_timeout_in_millis: '900000' };
    expect(await deadlineOf(environment, 10_050)).toEqual([[9_050], 503]);
    expect(await deadlineOf(environment, 500)).toEqual([[0], 503]);
  });

  test('allows listeners for all calls of a request without a warning of Node', async () => {
    const limits: number[] = [];
    const send = (_body: Uint8Array, signal: AbortSignal) => {
      limits.push(getMaxListeners(signal));
      return Promise.resolve(STORED);
    };
    await handlerOf({ send }).handle(writeEvent(GOOD));
    expect(limits).toEqual([Number.POSITIVE_INFINITY]);
  });
});

test('a response stays small, however long the names in its reasons are', async () => {
  const long = 'x'.repeat(30_000);
  for (const line of [`m${long}! v=1`, `m,ts_${long}=1 v=1`, `m,a=1,${long}=1,${long}=2 v=1`, `m,a=1 ${long}`]) {
    const { message } = errorIn(await handlerOf().handle(writeEvent(`${line}\n`.repeat(120))));
    expect(message).toContain('dropped=120');
    expect(message.length).toBeLessThan(100_000);
  }
});
