/** What clients of InfluxDB, unmodified, see of the connector, and what it stored of theirs. */
import { type Stack, startStack, TIME } from '../contract/connector/harness';
import { type Job, realClients } from './clients';
import { type Exchange, Recorder, TOKEN } from './recorder';
import { code, describeProof, detail } from './report';

/** How a client differs from the others, each by its own documented or coded behaviour. */
interface Ways {
  /** Lines are parsed by the client itself, so that none that cannot be parsed is sent. */
  readonly parses?: true;
  /** Takes a partial write for success. */
  readonly hidesPartialWrites?: true;
  /** Sends nothing again. */
  readonly sendsOnce?: true;
  /** Sends a failed batch again only before another one. */
  readonly waitsForNextBatch?: true;
  /** Reports no failure that a later attempt made good. */
  readonly quietRetries?: true;
  /** Reads Retry-After as milliseconds. */
  readonly ignoresRetryAfter?: true;
  /** Tries a wrong token again, as somebody may mend it meanwhile. */
  readonly keepsUnauthorized?: true;
}
const WAYS: Readonly<Record<string, Ways>> = {
  'influxdb-client-js': { ignoresRetryAfter: true },
  'influxdb-client-go': { hidesPartialWrites: true, waitsForNextBatch: true },
  'line-protocol': { parses: true, sendsOnce: true },
  Telegraf: { parses: true, keepsUnauthorized: true },
  curl: { quietRetries: true },
};

const BATCH = 1_000;
/** What the connector asks for, less what timers are early. */
const RETRY_AFTER_MS = 2_000 - 50;

/** The points of every scenario and of every client: a field with the number of the point. */
const lines = (measurement: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${measurement},host=h${n % 7} n=${n}i ${TIME + n}000000000`);

let stack: Stack;
/** With a deadline that is soon over, and a service that fails until the connector has said so. */
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
    'What each client saw',
    ['client', 'request', 'status', 'error as the client reports it', 'sent again', 'points stored'],
    seen,
  ),
);

/** The statuses as text; one that comes many times in a row is counted. */
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

/** Whether the client sent a refused request again, and whether when it was asked to. */
function sentAgain(exchanges: readonly Exchange[]): string {
  const again = exchanges.find((_, n) => (exchanges[n - 1]?.status ?? 0) >= 400);
  if (again === undefined) return 'no';
  return again.waited >= RETRY_AFTER_MS ? 'yes, after Retry-After' : 'yes, sooner';
}

interface Writing extends Partial<Pick<Job, 'batchSize' | 'gzip' | 'throttled' | 'token'>> {
  /** Points without fault. */
  readonly count?: number;
  /** A faulty line after them, without its measurement. */
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
    const ways: Ways = WAYS[kind] ?? {};
    const hidden = ways.hidesPartialWrites ? ', which its library keeps to itself' : '';

    /** Lets the client write, and notes what came over the wire and was stored. */
    const write = async (request: string, { bad, count = 100, ...given }: Writing = {}): Promise<Seen> => {
      const over = given.throttled ? { stack: failing, recorder: failingRecorder } : { stack, recorder };
      const measurement = `${kind}-${request.replaceAll(/\W+/g, '-')}`;
      const written = [...lines(measurement, count), ...(bad === undefined ? [] : [`${measurement},${bad}`])];
      const defaults = { token: TOKEN, lines: written, batchSize: BATCH, gzip: false, throttled: false };
      const errors = await client.write({ ...defaults, ...given, url: over.stack.url, measurement });
      const exchanges = over.recorder.take();
      const stored = await over.stack.count(measurement).catch(() => 0);
      const reported = [...new Set(errors)].map(code).join('<br>');
      seen.push([client.name, request, statusesOf(exchanges), reported, sentAgain(exchanges), `${stored}`]);
      return {
        errors: errors.join('\n'),
        exchanges,
        statuses: exchanges.map(({ status }) => status),
        stored,
        measurement,
      };
    };

    test('writes a point with a tag to escape and a field of every type, read back as it was meant', async () => {
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
      ways.parses
        ? 'sends no line that cannot be parsed: it says so itself'
        : `of a line that cannot be parsed is told by 400${hidden}, and the other lines are stored`,
      async () => {
        const { errors, statuses, stored } = await write('a line that cannot be parsed', { bad: 'host=a n=' });
        if (ways.parses) {
          expect({ statuses, stored }).toEqual({ statuses: [], stored: 0 });
          expect(errors).toMatch(/^(parser|decoder): /);
        } else {
          expect({ statuses, stored }).toEqual({ statuses: [400], stored: 100 });
          expect(errors).toMatch(ways.hidesPartialWrites ? /^$/ : /unable to parse/);
        }
      },
    );

    test(`of a point that Timestream cannot store is told by 422${hidden}, and the other points are stored`, async () => {
      const { errors, statuses, stored } = await write('a point that cannot be stored', { bad: 'time=a n=1i' });
      expect({ statuses, stored }).toEqual({ statuses: [422], stored: 100 });
      expect(errors).toMatch(ways.hidesPartialWrites ? /^$/ : /partial write/);
    });

    test(`with a wrong token is told by 401${ways.keepsUnauthorized ? ', and keeps the points' : ''}`, async () => {
      const { errors, statuses, stored } = await write('a wrong token', { token: 'wrong-token' });
      expect(new Set(statuses)).toEqual(new Set([401]));
      expect(statuses.length > 1).toBe(ways.keepsUnauthorized === true);
      expect(errors).toMatch(/401|unauthorized/i);
      expect(stored).toBe(0);
    });

    const after = ways.sendsOnce
      ? 'leaves it to its caller to send again'
      : `sends the points again ${ways.ignoresRetryAfter ? 'at once' : 'after Retry-After'}, and all are stored`;
    test.each([
      ['throttles', 429, 'ThrottlingException', /429|too many requests/],
      ['fails', 503, 'InternalServerException', /503|unavailable/],
    ] as const)(`while Timestream %s is told by %i, ${after}`, async (request, status, type, words) => {
      fault = type;
      const batchSize = 100;
      const count = batchSize + (ways.waitsForNextBatch ? 1 : 0);
      const given = { count, batchSize, throttled: true };
      const { errors, exchanges, statuses, stored } = await write(`Timestream ${request}`, given);
      expect(errors).toMatch(ways.quietRetries ? /^$/ : words);
      const again = ways.sendsOnce ? [] : ways.waitsForNextBatch ? [204, 204] : [204];
      expect({ statuses, stored }).toEqual({ statuses: [status, ...again], stored: ways.sendsOnce ? 0 : count });
      const soon = ways.ignoresRetryAfter ? 'yes, sooner' : 'yes, after Retry-After';
      expect(sentAgain(exchanges)).toBe(ways.sendsOnce ? 'no' : soon);
    });
  });
}
