/** Unmodified InfluxDB clients write to the connector: the responses and errors that they see, and the points that it stored. */
import { type Stack, startStack, TIME } from '../contract/connector/harness';
import { type Job, realClients } from './clients';
import { type Exchange, Recorder, TOKEN } from './recorder';
import { code, describeProof, detail } from './report';

/** How a client differs from the others, by its documentation or code. */
interface Behaviour {
  /** The client parses lines itself and never sends an invalid one. */
  readonly parses?: true;
  /** Reports a partial write as success. */
  readonly hidesPartialWrites?: true;
  /** Never retries. */
  readonly sendsOnce?: true;
  /** Retries a failed batch only before another one. */
  readonly waitsForNextBatch?: true;
  /** Does not report a failure if a retry succeeds. */
  readonly quietRetries?: true;
  /** Reads Retry-After as milliseconds. */
  readonly ignoresRetryAfter?: true;
  /** Retries after 401, as the token may be fixed meanwhile. */
  readonly keepsUnauthorized?: true;
}
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  'influxdb-client-js': { ignoresRetryAfter: true },
  'influxdb-client-go': { hidesPartialWrites: true, waitsForNextBatch: true },
  'line-protocol': { parses: true, sendsOnce: true },
  Telegraf: { parses: true, keepsUnauthorized: true },
  curl: { quietRetries: true },
};

const BATCH = 1_000;
/** The connector's Retry-After, minus the inaccuracy of timers. */
const RETRY_AFTER_MS = 2_000 - 50;

/** The points of every scenario: a field with the number of the point. */
const lines = (measurement: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${measurement},host=h${n % 7} n=${n}i ${TIME + n}000000000`);

let stack: Stack;
/** A stack with a short deadline, and a service that fails until the connector has returned an error. */
let failing: Stack;
let fault: 'ThrottlingException' | 'InternalServerException' | undefined;
const recorder = new Recorder();
const failingRecorder = new Recorder((status) => {
  if (status >= 429) fault = undefined;
});

beforeAll(async () => {
  stack = await startStack({ verify: recorder.verify, log: recorder.log });
  failing = await startStack({
    verify: failingRecorder.verify,
    log: failingRecorder.log,
    environment: { write_deadline_millis: '1500' },
    intercept: (operation) =>
      operation === 'WriteRecords' && fault !== undefined ? { kind: 'error', type: fault } : undefined,
  });
});
afterAll(async () => {
  await stack.close();
  await failing.close();
});

const seen: string[][] = [];
afterAll(() =>
  detail(
    'Responses that each client saw',
    ['client', 'request', 'status', 'error as the client reports it', 'retried', 'points stored'],
    seen,
  ),
);

/** The statuses as text, with a count for repeated ones. */
function statusesOf(exchanges: readonly Exchange[]): string {
  const runs: { status: number; times: number }[] = [];
  for (const { status } of exchanges) {
    const last = runs.at(-1);
    if (last?.status === status) last.times++;
    else runs.push({ status, times: 1 });
  }
  return (
    runs.map(({ status, times }) => (times === 1 ? `${status}` : `${times} × ${status}`)).join(', ') || 'none sent'
  );
}

/** Whether the client retried a refused request, and whether it respected Retry-After. */
function retryOf(exchanges: readonly Exchange[]): string {
  const retry = exchanges.find((_, n) => (exchanges[n - 1]?.status ?? 0) >= 400);
  if (retry === undefined) return 'no';
  return retry.waited >= RETRY_AFTER_MS ? 'yes, after Retry-After' : 'yes, sooner';
}

interface Writing extends Partial<Pick<Job, 'batchSize' | 'gzip' | 'throttled' | 'token'>> {
  /** Number of valid points. */
  readonly count?: number;
  /** An invalid line after them, without its measurement. */
  readonly bad?: string;
}

interface Seen {
  readonly errors: string;
  readonly exchanges: readonly Exchange[];
  readonly statuses: readonly number[];
  readonly stored: number;
  readonly measurement: string;
}

for (const client of realClients()) {
  describeProof(`${client.name}, unmodified`, client.missing, () => {
    const [kind = ''] = client.name.split(' ');
    const behaviour: Behaviour = BEHAVIOURS[kind] ?? {};
    const hidden = behaviour.hidesPartialWrites ? ', which its library does not report' : '';

    /** Writes with the client, and records the exchanges over the wire and the stored points. */
    const write = async (request: string, { bad, count = 100, ...given }: Writing = {}): Promise<Seen> => {
      const over = given.throttled ? { stack: failing, recorder: failingRecorder } : { stack, recorder };
      const measurement = `${kind}-${request.replaceAll(/\W+/g, '-')}`;
      const written = [...lines(measurement, count), ...(bad === undefined ? [] : [`${measurement},${bad}`])];
      const defaults = { token: TOKEN, lines: written, batchSize: BATCH, gzip: false, throttled: false };
      const errors = await client.write({ ...defaults, ...given, url: over.stack.url, measurement });
      const exchanges = over.recorder.take();
      const stored = await over.stack.count(measurement).catch(() => 0);
      const reported = [...new Set(errors)].map(code).join('<br>');
      seen.push([client.name, request, statusesOf(exchanges), reported, retryOf(exchanges), `${stored}`]);
      return {
        errors: errors.join('\n'),
        exchanges,
        statuses: exchanges.map(({ status }) => status),
        stored,
        measurement,
      };
    };

    test('writes a point with an escaped tag and a field of every type, which reads back unchanged', async () => {
      const { errors, statuses, measurement } = await write('a field of every type', { count: 0 });
      expect({ errors, statuses }).toEqual({ errors: '', statuses: [204] });
      const columns = 'city, path, f, i, u, b, s, to_nanoseconds(time)';
      expect(await stack.select(columns, measurement)).toEqual([
        ['São Paulo', 'C:\\a, b=c', '-0.25', '-7', '7', 'true', 'a "b" \\ c', '1709294400000000007'],
      ]);
    });

    test('writes gzip', async () => {
      const { errors, exchanges, stored } = await write('gzip', { gzip: true });
      expect({ errors, stored }).toEqual({ errors: '', stored: 100 });
      expect(exchanges).toMatchObject([{ status: 204, gzip: true }]);
    });

    test('writes 5,000 points in batches of 1,000', async () => {
      const { errors, statuses, stored } = await write('batches', { count: 5 * BATCH });
      expect({ errors, stored }).toEqual({ errors: '', stored: 5_000 });
      expect(statuses).toEqual([204, 204, 204, 204, 204]);
    });

    test(
      behaviour.parses
        ? 'reports a line that cannot be parsed itself and does not send it'
        : `gets 400${hidden} for a line that cannot be parsed, and the other lines are stored`,
      async () => {
        const { errors, statuses, stored } = await write('a line that cannot be parsed', { bad: 'host=a n=' });
        if (behaviour.parses) {
          expect({ statuses, stored }).toEqual({ statuses: [], stored: 0 });
          expect(errors).toMatch(/^(parser|decoder): /);
        } else {
          expect({ statuses, stored }).toEqual({ statuses: [400], stored: 100 });
          expect(errors).toMatch(behaviour.hidesPartialWrites ? /^$/ : /unable to parse/);
        }
      },
    );

    test(`gets 422${hidden} for a point that Timestream cannot store, and the other points are stored`, async () => {
      const { errors, statuses, stored } = await write('a point that cannot be stored', { bad: 'time=a n=1i' });
      expect({ statuses, stored }).toEqual({ statuses: [422], stored: 100 });
      expect(errors).toMatch(behaviour.hidesPartialWrites ? /^$/ : /partial write/);
    });

    test(`gets 401 for a wrong token${behaviour.keepsUnauthorized ? ', and keeps the points' : ''}`, async () => {
      const { errors, statuses, stored } = await write('a wrong token', { token: 'wrong-token' });
      expect(new Set(statuses)).toEqual(new Set([401]));
      expect(statuses.length > 1).toBe(behaviour.keepsUnauthorized === true);
      expect(errors).toMatch(/401|unauthorized/i);
      expect(stored).toBe(0);
    });

    const after = behaviour.sendsOnce
      ? 'leaves the retry to its caller'
      : `retries ${behaviour.ignoresRetryAfter ? 'at once' : 'after Retry-After'}, and all are stored`;
    test.each([
      ['throttles', 429, 'ThrottlingException', /429|too many requests/],
      ['fails', 503, 'InternalServerException', /503|unavailable/],
    ] as const)(`while Timestream %s gets %i, ${after}`, async (request, status, type, words) => {
      fault = type;
      const batchSize = 100;
      const count = batchSize + (behaviour.waitsForNextBatch ? 1 : 0);
      const given = { count, batchSize, throttled: true };
      const { errors, exchanges, statuses, stored } = await write(`Timestream ${request}`, given);
      expect(errors).toMatch(behaviour.quietRetries ? /^$/ : words);
      const again = behaviour.sendsOnce ? [] : behaviour.waitsForNextBatch ? [204, 204] : [204];
      expect({ statuses, stored }).toEqual({ statuses: [status, ...again], stored: behaviour.sendsOnce ? 0 : count });
      const soon = behaviour.ignoresRetryAfter ? 'yes, sooner' : 'yes, after Retry-After';
      expect(retryOf(exchanges)).toBe(behaviour.sendsOnce ? 'no' : soon);
    });
  });
}
