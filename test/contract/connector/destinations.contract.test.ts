/** The responses of the write endpoint that stores in InfluxDB, or in Timestream and InfluxDB, for each outcome in each destination. */
import { gunzipSync } from 'node:zlib';
import { loadConnectorConfig } from 'shared/config';
import { ConfigurationError } from 'shared/errors';
import { TIMESTREAM_LIMITS } from 'shared/timestream/refusal';
import type { SendWriteRecords } from 'shared/timestream/service';
import { influxClient } from '../../../functions/clients/influxdb';
import { influxdbDestination } from '../../../functions/write-line-protocol/influxdb-destination';
import type { HttpResponse } from '../../../functions/write-line-protocol/responses';
import {
  ASYNCHRONOUS,
  errorIn,
  type HandlerOptions,
  handlerOf,
  TAKEN_FOR_SUCCESS,
  writeEvent,
} from '../../support/connector-handler';
import { REQUEST_TIME } from '../../support/connector-mapping';
import { FakeInfluxDB3, V3_TOKEN } from '../../support/fake-influxdb3';
import { recordingLogger } from '../../support/influx-writing';
import { STORED, scriptedInfluxDB } from '../../support/scripted-influxdb';
import { type Answer, ScriptedServer } from '../../support/scripted-server';
import { answer } from '../../support/timestream-model';

const influxdb = scriptedInfluxDB();

const TOKEN = 'secret-influxdb-token';
const settings = (changes: Readonly<Record<string, string>> = {}) => ({
  destination: 'both',
  INFLUXDB_URL: influxdb.url,
  INFLUXDB_ORG: 'plant',
  INFLUXDB_BUCKET: 'metrics',
  INFLUXDB_TOKEN: TOKEN,
  // Long enough for a busy machine; tests of the deadline set their own.
  write_deadline_millis: '60000',
  ...changes,
});
const handler = (changes: Readonly<Record<string, string>> = {}, options: HandlerOptions = {}) =>
  handlerOf({ environment: settings(changes), ...options });
const bodies = (): string[] => influxdb.requests.map(({ body }) => body);

/** The lines of a request: two good ones, and one that a destination may reject. */
const LINES = 'm,t=a v=1i 7\nm,t=bad v=2.5 8\nm,t=c v=3i 9\n';

const TIMESTREAM: Readonly<Record<string, SendWriteRecords | undefined>> = {
  stores: undefined,
  rejects: (body) => {
    const { Records } = JSON.parse(Buffer.from(body).toString()) as { Records: unknown[] };
    const bad = Records.findIndex((record) => JSON.stringify(record).includes('"bad"'));
    if (bad < 0) return Promise.resolve({ status: 200, body: Buffer.from('{}') });
    return Promise.resolve(
      answer(419, 'RejectedRecordsException', { RejectedRecords: [{ RecordIndex: bad, Reason: 'too old' }] }),
    );
  },
  throttles: () => Promise.resolve(answer(400, 'ThrottlingException')),
  fails: () => Promise.resolve(answer(400, 'AccessDeniedException', { message: 'arn:secret-role' })),
};

const json = (status: number, code: string, message: string, headers: Record<string, string> = {}): Answer => ({
  status,
  body: JSON.stringify({ code, message }),
  headers,
});
const CONFLICT =
  'failure writing points to database: partial write: field type conflict: input field "v" on measurement "m" is type float, already exists as type integer dropped=1';
const INFLUXDB: Readonly<Record<string, (body: string) => Answer>> = {
  stores: () => STORED,
  rejects: (body) => (body.includes('t=bad') ? json(422, 'unprocessable entity', CONFLICT) : STORED),
  throttles: () => json(429, 'too many requests', 'node secret-host is busy', { 'retry-after': '7' }),
  fails: () => json(500, 'internal error', 'secret-host: disk full'),
  drops: () => 'drop',
};

interface Outcome {
  readonly timestream: string;
  readonly influxdb: string;
  readonly hasInvalidLine: boolean;
}

/** RULES: 429 if each destination that failed throttles, else 503; then 400, 422, 204. */
function expectedStatus({ timestream, influxdb: second, hasInvalidLine }: Outcome): number {
  const failed = [timestream, second].filter((each) => !['stores', 'rejects'].includes(each));
  if (failed.length > 0) return failed.every((each) => each === 'throttles') ? 429 : 503;
  if (hasInvalidLine) return 400;
  return timestream === 'rejects' || second === 'rejects' ? 422 : 204;
}

const outcomes: Outcome[] = Object.keys(TIMESTREAM).flatMap((timestream) =>
  Object.keys(INFLUXDB).flatMap((second) =>
    [false, true].map((hasInvalidLine) => ({ timestream, influxdb: second, hasInvalidLine })),
  ),
);

const disclosed = /secret|127\.0\.0\.1|localhost|https?:/;

describe('both', () => {
  test.each(outcomes)(
    'the response if Timestream $timestream, InfluxDB $influxdb, and an invalid line: $hasInvalidLine',
    async (outcome) => {
      influxdb.respond = ({ body }) => INFLUXDB[outcome.influxdb]?.(body) ?? STORED;
      const send = TIMESTREAM[outcome.timestream];
      // Ends the retries of a Timestream that throttles.
      const deadline = outcome.timestream === 'throttles' ? { write_deadline_millis: '2000' } : {};
      const { handle } = handler(deadline, send && { send });
      const response = await handle(writeEvent(outcome.hasInvalidLine ? `${LINES}broken\n` : LINES));
      const status = expectedStatus(outcome);
      expect(response?.statusCode).toBe(status);
      expect(response?.body).not.toMatch(disclosed);
      if (status === 204) return;
      const { message } = errorIn(response);
      const titles = { timestream: outcome.timestream, influxdb: outcome.influxdb };
      if (status === 429 || status === 503) {
        expect(message).not.toMatch(TAKEN_FOR_SUCCESS);
        for (const [name, what] of Object.entries(titles)) {
          const failed = !['stores', 'rejects'].includes(what);
          expect(message.includes(`could not be stored in ${name}`)).toBe(failed);
        }
        expect(response?.headers['Retry-After']).toBe(outcome.influxdb === 'throttles' ? '7' : '2');
      } else {
        for (const [name, what] of Object.entries(titles)) {
          expect(message.includes(`line 2: ${name}: `)).toBe(what === 'rejects');
        }
        const rejections = Object.values(titles).some((what) => what === 'rejects') ? 1 : 0;
        expect(message).toContain(`dropped=${rejections + (outcome.hasInvalidLine ? 1 : 0)}`);
        expect(message).not.toContain('more line');
        if (outcome.hasInvalidLine) expect(message.match(/unable to parse 'broken'/g)).toHaveLength(1);
      }
    },
  );

  test('one destination that is down does not stop the other', async () => {
    const send = TIMESTREAM.fails;
    const first = handler({}, send && { send });
    await first.handle(writeEvent(LINES));
    expect(bodies()).toEqual([LINES]);
    influxdb.respond = () => 'drop';
    const second = handler();
    await second.handle(writeEvent(LINES));
    expect(second.stored).toHaveLength(3);
  });

  test.each([
    ['ns', '1709294401234000000'],
    ['us', '1709294401234000'],
    ['ms', '1709294401234'],
    ['s', '1709294401'],
  ])('lines without a timestamp get the same time in both, with precision %s', async (precision, digits) => {
    const { handle, stored } = handler();
    const context = { requestContext: { requestTimeEpoch: 1_709_294_401_234 } };
    const event = writeEvent('m,t=a v=1i', { queryStringParameters: { precision }, ...context });
    expect(await handle(event)).toMatchObject({ statusCode: 204 });
    expect(bodies()).toEqual([`m,t=a v=1i ${digits}\n`]);
    const nanoseconds = BigInt(digits.padEnd(19, '0'));
    expect(stored.map(({ time }) => time)).toEqual([nanoseconds]);
    expect(influxdb.requests[0]?.query.get('precision')).toBe(precision);
  });

  test.each([
    [
      '400 for a reserved name',
      '_field=bad',
      'm,_field=bad v=2i 8',
      json(400, 'invalid', `unable to parse 'm,_field=bad v=2i 8': tag key "_field" is reserved`),
    ],
    ['422 for the type of a field', 't=bad', 'm,t=bad v=2i 8', json(422, 'unprocessable entity', CONFLICT)],
  ])('a line that InfluxDB alone refuses with %s is stored in Timestream', async (title, tag, line, refusal) => {
    influxdb.respond = ({ body }) => (body.includes('bad') ? refusal : STORED);
    const { handle, stored } = handler();
    const response = await handle(writeEvent(`m,t=a v=1i 7\n${line}\n`));
    expect(response?.statusCode).toBe(Number(title.slice(0, 3)));
    const { message } = errorIn(response);
    expect(message).toContain('influxdb: ');
    expect(message).not.toContain('timestream: ');
    expect(message).toContain('dropped=1');
    expect(stored.flatMap(({ dimensions }) => dimensions).sort()).toEqual([tag, 't=a'].sort());
  });

  test('one log entry has the totals of each destination, and what both have stored', async () => {
    influxdb.respond = ({ body }) => INFLUXDB.rejects?.(body) ?? STORED;
    const { handle, logger } = handler();
    await handle(writeEvent(LINES));
    const entries = logger.entries.filter(({ message }) => message === 'write');
    expect(entries).toMatchObject([
      {
        fields: {
          destination: 'both',
          stored: 2,
          unstored: 0,
          destinations: { timestream: { stored: 3 }, influxdb: { stored: 2, calls: 2 } },
          rejectedLines: 1,
        },
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain(TOKEN);
  });
});

describe('both: the numbers of lines', () => {
  const entryOf = ({ logger }: ReturnType<typeof handler>) =>
    logger.entries.find(({ message }) => message === 'write')?.fields;
  const timestreamRejects = TIMESTREAM.rejects && { send: TIMESTREAM.rejects };

  test('a line that both reject counts once, and the reasons of both are listed', async () => {
    influxdb.respond = ({ body }) => INFLUXDB.rejects?.(body) ?? STORED;
    const both = handler({}, timestreamRejects);
    const { message } = errorIn(await both.handle(writeEvent(LINES)));
    expect(message).toMatch(/line 2: timestream: too old\nline 2: influxdb: field type conflict.* dropped=1$/);
    expect(entryOf(both)).toMatchObject({ stored: 2, unstored: 0, faultyLines: 0, rejectedLines: 1 });
  });

  test('lines of which each destination rejects another one are stored in none of them together', async () => {
    influxdb.respond = ({ body }) =>
      body.includes('t=a') ? json(422, 'unprocessable entity', CONFLICT.replace('"v"', '"w"')) : STORED;
    const both = handler({}, timestreamRejects);
    const response = await both.handle(writeEvent('m,t=a w=2.5 7\nm,t=bad v=1i 8\n'));
    expect(errorIn(response).message).toContain('dropped=2');
    expect(entryOf(both)).toMatchObject({
      ...{ stored: 0, rejectedLines: 2 },
      destinations: { timestream: { stored: 1 }, influxdb: { stored: 1 } },
    });
  });

  test.each([
    ['both', { timestream: 1, influxdb: 1 }],
    ['influxdb', { influxdb: 2 }],
  ])(
    'metrics with %s: which destination has the invalid lines, and those that InfluxDB alone cannot parse',
    async (destination, expected) => {
      influxdb.respond = ({ body }) =>
        body.includes('t=bad') ? json(400, 'invalid', "unable to parse 'm,t=bad v=2.5 8': no") : STORED;
      const counted: Record<string, number> = {};
      const record = (name: string, { faultyLines }: { readonly faultyLines: number }): void => {
        counted[name] = faultyLines;
      };
      await handler({ destination }, { metrics: { record } }).handle(writeEvent(`${LINES}broken\n`));
      expect(counted).toEqual(expected);
    },
  );

  test('lines that share a record of Timestream count as lines', async () => {
    const both = handler();
    expect(await both.handle(writeEvent('m,t=a v=1i 7\nm,t=a w=1i 7\n'))).toMatchObject({ statusCode: 204 });
    expect(entryOf(both)).toMatchObject({ stored: 2, destinations: { timestream: { stored: 1 } } });
  });

  test('lines that InfluxDB has not stored are not in both', async () => {
    influxdb.respond = () => 'drop';
    const both = handler({}, timestreamRejects);
    expect(await both.handle(writeEvent(LINES))).toMatchObject({ statusCode: 503 });
    expect(entryOf(both)).toMatchObject({ stored: 0, unstored: 3, rejectedLines: 1 });
  });

  test('a line for InfluxDB only is not in both; it is in none if InfluxDB rejects it', async () => {
    const lines = 'm v=2.5 7\nm,t=a v=1i 8\n';
    const stores = handler({ influxdb_only_lines: 'all' });
    expect(await stores.handle(writeEvent(lines))).toMatchObject({ headers: { 'X-Influxdb-Only-Lines': '1' } });
    expect(entryOf(stores)).toMatchObject({ stored: 1, rejectedLines: 0 });
    influxdb.respond = ({ body }) => (body.includes('m v') ? json(422, 'unprocessable entity', CONFLICT) : STORED);
    const rejects = handler({ influxdb_only_lines: 'all' });
    const response = await rejects.handle(writeEvent(lines));
    expect(response?.statusCode).toBe(422);
    expect(response?.headers).not.toHaveProperty('X-Influxdb-Only-Lines');
    expect(entryOf(rejects)).toMatchObject({ stored: 1, rejectedLines: 1 });
  });
});

describe('lines that only InfluxDB can store', () => {
  const long = 'x'.repeat(3_000);
  const examples: Readonly<
    Record<string, { line: string; environment?: Record<string, string>; send?: SendWriteRecords | undefined }>
  > = {
    'no-tags': { line: 'm v=1i 7' },
    'before-1970': { line: 'm,t=a v=1i -7' },
    unsigned: { line: 'm,t=a v=18446744073709551615u 7' },
    names: { line: 'm,time=a v=1i 7' },
    'empty-strings': { line: 'm,t=a v="" 7' },
    sizes: { line: `m,t=a v="${long}" 7` },
    'partition-key': {
      line: 'm,t=a v=1i 7',
      environment: {
        custom_partition_key_type: 'dimension',
        custom_partition_key_dimension: 'site',
        enforce_custom_partition_key: 'true',
      },
    },
  };
  const good = 'm,t=good,site=x v=1i 7';

  test('are the classes of the setting; the times that tables keep are known to Timestream alone', () => {
    expect([...Object.keys(examples), 'time-range']).toEqual(TIMESTREAM_LIMITS);
  });

  test.each(Object.keys(examples))(
    '%s: a listed class is stored in InfluxDB, and the response has the number of lines',
    async (name) => {
      const { line = '', environment } = examples[name] ?? {};
      const { handle, stored } = handler({ ...environment, influxdb_only_lines: name });
      const response = await handle(writeEvent(`${line}\n${good}\n`));
      expect(response).toMatchObject({ statusCode: 204, headers: { 'X-Influxdb-Only-Lines': '1' } });
      expect(bodies()).toEqual([`${line}\n${good}\n`]);
      expect(stored).toHaveLength(1);
    },
  );

  test.each(Object.keys(examples))(
    '%s: without the setting the line is refused, and is in neither destination',
    async (name) => {
      const { line = '', environment } = examples[name] ?? {};
      const others = Object.keys(examples).filter((each) => each !== name);
      const { handle, stored } = handler({ ...environment, influxdb_only_lines: others.join(',') });
      const response = await handle(writeEvent(`${line}\n${good}\n`));
      expect(response?.statusCode).toBe(422);
      expect(errorIn(response).message).toMatch(/line 1: timestream: .* dropped=1$/s);
      expect(bodies()).toEqual([`${good}\n`]);
      expect(stored).toHaveLength(1);
    },
  );

  test.each([
    ['an invalid line', 'broken', 400],
    ['a line that is not listed', 'm,t=a v="" 7', 422],
  ])('the response to a request that also has %s has the number of lines', async (_, other, status) => {
    const { handle } = handler({ influxdb_only_lines: 'no-tags' });
    const response = await handle(writeEvent(`m v=1i 7\n${other}\n${good}\n`));
    expect(response).toMatchObject({ statusCode: status, headers: { 'X-Influxdb-Only-Lines': '1' } });
  });

  test('time-range: a line that Timestream rejects is stored in InfluxDB, and counts as rejected only if the class is not listed', async () => {
    const Reason = 'The record timestamp is outside the time range of the memory store';
    const send: SendWriteRecords = () =>
      Promise.resolve(answer(419, 'RejectedRecordsException', { RejectedRecords: [{ RecordIndex: 0, Reason }] }));
    expect(await handler({}, { send }).handle(writeEvent('m,t=a v=1i 7'))).toMatchObject({ statusCode: 422 });
    const listed = handler({ influxdb_only_lines: 'time-range' }, { send });
    expect(await listed.handle(writeEvent('m,t=a v=1i 7'))).toMatchObject({
      statusCode: 204,
      headers: { 'X-Influxdb-Only-Lines': '1' },
    });
    expect(bodies()).toEqual(['m,t=a v=1i 7', 'm,t=a v=1i 7']);
  });

  test('sizes: lines of one point that are too large together are stored in InfluxDB if the class is listed', async () => {
    const text = 'x'.repeat(1_500);
    const lines = `m,t=a v="${text}" 7\nm,t=a w="${text}" 7\n`;
    const refusing = await handler().handle(writeEvent(lines));
    expect(errorIn(refusing).message).toMatch(/line 2: timestream: together with line 1, .* dropped=1$/s);
    expect(await handler({ influxdb_only_lines: 'sizes' }).handle(writeEvent(lines))).toMatchObject({
      statusCode: 204,
      headers: { 'X-Influxdb-Only-Lines': '1' },
    });
    expect(bodies()).toEqual([lines.slice(0, lines.indexOf('\n') + 1), lines]);
  });

  test('a line above MaxLineBytes is refused once, with any setting, and is in neither destination', async () => {
    const { handle } = handler({ influxdb_only_lines: 'all', max_line_bytes: '2000' });
    const response = await handle(writeEvent(`m,t=a v="${long}" 7\n${good}\n`));
    expect(response?.statusCode).toBe(422);
    expect(errorIn(response).message).toContain('dropped=1');
    expect(bodies()).toEqual([`${good}\n`]);
  });

  test('with influxdb every class is stored, without a note', async () => {
    const lines = Object.entries(examples).map(([, { line }]) => line);
    const { handle, stored } = handler({ destination: 'influxdb' });
    const response = await handle(writeEvent(lines.join('\n')));
    expect(response).toMatchObject({ statusCode: 204 });
    expect(response?.headers).not.toHaveProperty('X-Influxdb-Only-Lines');
    expect(bodies()).toEqual([lines.join('\n')]);
    expect(stored).toEqual([]);
  });
});

describe('influxdb alone', () => {
  const alone = (changes: Readonly<Record<string, string>> = {}, options: HandlerOptions = {}) =>
    handler({ destination: 'influxdb', ...changes }, options);

  test.each<[string, Answer, number, string]>([
    ['stores', STORED, 204, ''],
    ['rejects lines', json(422, 'unprocessable entity', CONFLICT.replace('=1', '=3')), 422, 'dropped=3'],
    [
      'throttles',
      json(429, 'x', 'secret-host'),
      429,
      'InfluxDB throttles writes: 3 points could not be stored in time',
    ],
    ['is busy', { status: 503, headers: { 'retry-after': '12' } }, 429, 'InfluxDB throttles writes'],
    ['fails', json(500, 'x', 'secret-host'), 503, 'InfluxDB is not available'],
    ['drops the connection', 'drop', 503, 'InfluxDB is not available'],
    [
      'refuses the token',
      json(401, 'unauthorized', 'unauthorized access'),
      503,
      "InfluxDB does not accept the connector's token",
    ],
    ['forbids the write', json(403, 'forbidden', 'no'), 503, "the connector's token may not write to the bucket"],
    [
      'has no such bucket',
      json(404, 'not found', 'bucket "metrics" not found'),
      503,
      'correct InfluxDBOrg (--influxdb-org) and InfluxDBBucket (--influxdb-bucket)',
    ],
    ['is a proxy that answers with a page', { status: 200, body: '<html>secret-host' }, 503, 'InfluxDB cannot be used'],
    [
      'is a proxy that refuses',
      { status: 400, body: 'The plain HTTP request was sent to secret-host' },
      503,
      'InfluxDB cannot be used',
    ],
    [
      'is a proxy with a small limit',
      { status: 413, body: '<html>secret-host nginx' },
      422,
      'exceeds the limit of InfluxDB',
    ],
  ])('the response if it %s', async (_, given, status, text) => {
    influxdb.respond = () => given;
    const response = await alone().handle(writeEvent(LINES));
    expect(response?.statusCode).toBe(status);
    expect(response?.body ?? '').toContain(text);
    expect(response?.body).not.toMatch(disclosed);
    if (status === 503 || status === 429) {
      expect(Number(response?.headers['Retry-After'])).toBe(text.endsWith('throttles writes') ? 12 : 2);
      expect(errorIn(response).message).not.toMatch(TAKEN_FOR_SUCCESS);
    }
  });

  test('a partial write that dropped no point stored all of them', async () => {
    influxdb.respond = () => json(422, 'unprocessable entity', CONFLICT.replace('"v"', '"w"').replace('=1', '=0'));
    expect(await alone().handle(writeEvent(LINES))).toMatchObject({ statusCode: 204 });
    expect(influxdb.requests).toHaveLength(1);
  });

  test('a line that InfluxDB alone cannot parse is reported as in InfluxDB, and the others are stored', async () => {
    const bad = 'm,t=a,t=b v=1i 7';
    influxdb.respond = ({ body }) =>
      body.includes(bad) ? json(400, 'invalid', `unable to parse '${bad}': duplicate tags`) : STORED;
    const response = await alone().handle(writeEvent(`m,t=a v=1i 6\n${bad}\nm,t=a v=1i 8`));
    expect(response?.statusCode).toBe(400);
    expect(errorIn(response).message).toBe(
      `partial write: unable to parse '${bad}': at line 2: duplicate tags dropped=1`,
    );
    expect(bodies().at(-1)).toBe('m,t=a v=1i 6\nm,t=a v=1i 8');
  });

  test.each([
    ['a line without a timestamp', 'ns', 'weather,time=x t=1', /^weather,time=x t=1 \d+$/],
    ['a timestamp in minutes', 'm', 'weather,time=x t=1 5', /^weather,time=x t=1 300$/],
    ['a long line', 'ns', `weather,time=x t="${'y'.repeat(300)}" 7`, /^weather,time=x/],
  ])('such a line is quoted as the client sent it: %s', async (_, precision, bad, sent) => {
    influxdb.respond = ({ body }) => {
      const text = body.split('\n').find((line) => line.includes('time=x'));
      if (text === undefined || !sent.test(text)) return STORED;
      return json(400, 'invalid', `unable to parse '${text}': cannot use reserved tag key "time"`);
    };
    const event = writeEvent(`m,t=a v=1i 6\n\n${bad}\r\n`, {
      resource: '/write',
      queryStringParameters: { db: 'd', precision },
    });
    const { message } = errorIn(await alone().handle(event));
    const quoted = bad.length > 200 ? `${bad.slice(0, 200)}...` : bad;
    expect(message).toBe(
      `partial write: unable to parse '${quoted}': at line 3: cannot use reserved tag key "time" dropped=1`,
    );
  });

  test.each<[string, Record<string, string>, string, number]>([
    ['a bucket of the client', { bucket_mapping: 'passthrough' }, 'bucket "b" not found', 404],
    ['an organization of the client', { org_mapping: 'passthrough' }, 'organization name "o" not found', 404],
    ['the bucket that a mapping gives', { bucket_mapping: 'b=secret' }, 'bucket "secret" not found', 503],
    [
      'the configured organization, and the client named the bucket',
      { bucket_mapping: 'passthrough' },
      'organization name "secret" not found',
      503,
    ],
    [
      'the configured bucket, and the client named the organization',
      { org_mapping: 'passthrough' },
      'bucket "secret" not found',
      503,
    ],
    ['nothing that it names', { bucket_mapping: 'passthrough' }, 'page not found', 503],
  ])('InfluxDB does not have %s: %j, %s: %i', async (_, mapping, message, status) => {
    influxdb.respond = () => json(404, 'not found', message);
    const response = await alone(mapping).handle(writeEvent(LINES));
    expect(response?.statusCode).toBe(status);
    expect(response?.body).not.toMatch(disclosed);
  });

  test.each<[string, Record<string, string>, string, string]>([
    [
      'bucket',
      { bucket_mapping: 'b=secret' },
      'bucket "secret" not found',
      'BucketMapping (--bucket-mapping) gives for "b"',
    ],
    [
      'organization',
      { org_mapping: 'o=secret' },
      'organization name "secret" not found',
      'OrgMapping (--org-mapping) gives for "o"',
    ],
  ])(
    'a missing target of a mapping: the response has the name of the %s in the request',
    async (what, mapping, message, text) => {
      influxdb.respond = () => json(404, 'not found', message);
      const response = await alone(mapping).handle(writeEvent('m,t=a v=1i 7'));
      expect(errorIn(response).message).toBe(
        `1 point could not be stored: InfluxDB does not have the ${what} that ${text}: create it, or correct the mapping. Fix this, then send the request again`,
      );
    },
  );

  test('invalid lines, and a body without lines, are not sent', async () => {
    expect(await alone().handle(writeEvent('# comment\n\n'))).toMatchObject({ statusCode: 204 });
    const response = await alone().handle(writeEvent('broken\n'));
    expect(response?.statusCode).toBe(400);
    expect(errorIn(response).message).toMatch(/^unable to parse 'broken': .* dropped=1$/);
    expect(influxdb.requests).toEqual([]);
  });

  test('the rejected lines go to their bucket, each with the destination', async () => {
    influxdb.respond = ({ body }) => INFLUXDB.rejects?.(body) ?? STORED;
    const { handle, objects } = alone({ rejected_lines_bucket: 'rejected' });
    const response = await handle(writeEvent(`${LINES}broken\n`));
    expect(errorIn(response).message).toContain('the rejected lines are in s3://rejected/');
    const lines = gunzipSync(objects[0]?.body ?? '')
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { line: 4, text: 'broken' },
      { line: 2, text: 'm,t=bad v=2.5 8', destination: 'influxdb' },
    ]);
  });
});

describe('/health', () => {
  const health = (
    changes: Readonly<Record<string, string>>,
    options: HandlerOptions = {},
  ): Promise<HttpResponse | undefined> =>
    handler(changes, options).handle(writeEvent('', { resource: '/health', httpMethod: 'GET' }));
  const unreachable = () => Promise.reject(new Error('secret-endpoint'));

  test.each<[string, Answer, HandlerOptions, number, string[]]>([
    ['both', STORED, {}, 200, ['timestream pass', 'influxdb pass']],
    ['both', 'drop', {}, 503, ['timestream pass', 'influxdb fail']],
    ['both', STORED, { checkTimestream: unreachable }, 503, ['timestream fail', 'influxdb pass']],
    ['both', { status: 401 }, { checkTimestream: unreachable }, 503, ['timestream fail', 'influxdb fail']],
    ['influxdb', STORED, { checkTimestream: unreachable }, 200, ['influxdb pass']],
    ['influxdb', { status: 404, body: 'secret-host' }, {}, 503, ['influxdb fail']],
    ['influxdb', { status: 200, body: '<html>' }, {}, 503, ['influxdb fail']],
  ])(
    'with %s and InfluxDB responding %j reports each destination',
    async (destination, given, options, status, expected) => {
      influxdb.respond = () => given;
      const response = await health({ destination }, options);
      expect(response?.statusCode).toBe(status);
      const { checks, status: overall } = JSON.parse(response?.body ?? '') as {
        checks: { name: string; status: string }[];
        status: string;
      };
      expect(checks.map((check) => `${check.name} ${check.status}`)).toEqual(expected);
      expect(overall).toBe(status === 200 ? 'pass' : 'fail');
      expect(response?.body).not.toMatch(disclosed);
    },
  );

  test.each<[Answer, string]>([
    ['drop', 'InfluxDB cannot be reached'],
    [json(401, 'unauthorized', 'secret'), "InfluxDB does not accept the connector's token"],
    [json(403, 'forbidden', 'secret'), "the connector's token may not write to the bucket"],
    [json(404, 'not found', 'bucket "secret" not found'), 'InfluxDB has no such organization or bucket'],
    [json(429, 'too many requests', 'secret'), 'InfluxDB throttles writes'],
    [json(500, 'internal error', 'secret'), 'InfluxDB returned an error'],
    [{ status: 200, body: '<html>secret' }, 'InfluxDB cannot be used'],
  ])('InfluxDB responding %j: the check has the cause, and the log has the reason', async (given, cause) => {
    influxdb.respond = () => given;
    const { handle, logger } = handler();
    const response = await handle(writeEvent('', { resource: '/health', httpMethod: 'GET' }));
    const { message, checks } = JSON.parse(response?.body ?? '') as { message: string; checks: { message: string }[] };
    expect(checks[1]?.message).toContain(cause);
    expect(message).toBe(checks[1]?.message);
    expect(response?.body).not.toMatch(disclosed);
    expect(logger.entries.at(-1)?.fields).toMatchObject({ error: { cause: expect.any(String) as string } });
  });

  test('a token that cannot be read is not an InfluxDB that cannot be reached', async () => {
    const config = loadConnectorConfig(settings({ destination: 'influxdb' }));
    if (config.influxdb === undefined) throw new Error('no InfluxDB');
    const client = influxClient(config.influxdb);
    jest.spyOn(client, 'send').mockRejectedValue(new ConfigurationError(['the secret has no key token']));
    const { check } = influxdbDestination(config.influxdb, config.bounds, client, recordingLogger());
    await expect(check(new AbortController().signal)).rejects.toThrow(/^InfluxDB cannot be used: .*the token/);
  });

  test('writes no point, and needs no configured bucket where requests name their own', async () => {
    influxdb.respond = ({ path }) => ({ status: path === '/health' ? 200 : 404 });
    expect(await health({ destination: 'influxdb', bucket_mapping: 'passthrough' })).toMatchObject({ statusCode: 200 });
    expect(influxdb.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /health']);
  });
});

describe('InfluxDB 3', () => {
  let server: ScriptedServer;
  let fake: FakeInfluxDB3;
  const v3 = (changes: Readonly<Record<string, string>> = {}) =>
    handler({
      destination: 'influxdb',
      INFLUXDB_ENGINE: 'v3',
      INFLUXDB_URL: server.url,
      INFLUXDB_TOKEN: V3_TOKEN,
      ...changes,
    });
  beforeEach(async () => {
    fake = new FakeInfluxDB3();
    server = await ScriptedServer.start(fake.answer);
  });
  afterEach(() => server.stop());

  test('its rejections come back per line, with the numbers of the request', async () => {
    await v3().handle(writeEvent('m,t=a v=1i 1'));
    const lines = ['# comment', 'm,t=a v=2i 2', 'broken', 'm,t=a v="text" 3', '', 'm,t=a v=4i 4', 'm,t=a v=1.5 5'];
    const response = await v3().handle(writeEvent(lines.join('\n')));
    expect(response?.statusCode).toBe(400);
    const { message } = errorIn(response);
    expect(message).toContain("unable to parse 'broken'");
    expect(message).toMatch(/line 4: invalid column type for column 'v'/);
    expect(message).toMatch(/line 7: invalid column type for column 'v'/);
    expect(message).toContain('dropped=3');
    expect(fake.stored.get('metrics')).toEqual(['m,t=a v=1i 1', 'm,t=a v=2i 2', 'm,t=a v=4i 4']);
  });

  test.each([
    ['ns', 'nanosecond'],
    ['us', 'microsecond'],
    ['ms', 'millisecond'],
    ['s', 'second'],
  ])('the precision %s has its name %s', async (precision, name) => {
    await v3().handle(writeEvent('m,t=a v=1i 1', { queryStringParameters: { precision } }));
    expect(server.requests.map(({ query }) => query.get('precision'))).toEqual([name]);
  });

  test('v1 minutes and hours are written as seconds', async () => {
    for (const precision of ['m', 'h']) {
      await v3().handle(
        writeEvent('m,t=a v=1i 2', { resource: '/write', queryStringParameters: { db: 'd', precision } }),
      );
    }
    expect(server.requests.map(({ query, body }) => [query.get('precision'), body])).toEqual([
      ['second', 'm,t=a v=1i 120\n'],
      ['second', 'm,t=a v=1i 7200\n'],
    ]);
  });

  test('a batch that it refuses as a whole loses only the line that is the reason', async () => {
    const wide = Array.from({ length: 600 }, (_, n) => `f${n}=1`).join(',');
    const lines = Array.from({ length: 50 }, (_, n) => (n === 33 ? `m,t=a ${wide} ${n}` : `m,t=a v=1i ${n}`));
    const response = await v3().handle(writeEvent(lines.join('\n')));
    expect(response?.statusCode).toBe(422);
    expect(errorIn(response).message).toMatch(/line 34: .*limit of 500 columns dropped=1$/s);
    expect(fake.stored.get('metrics')).toHaveLength(49);
  });

  test.each([
    ['its token', { INFLUXDB_TOKEN: 'other' }],
    ['its token, where requests name the bucket', { INFLUXDB_TOKEN: 'other', bucket_mapping: 'passthrough' }],
    ['the name of the database', { INFLUXDB_BUCKET: 'no spaces' }],
  ])('/health fails if it does not accept %s', async (_, changes) => {
    const event = writeEvent('', { resource: '/health', httpMethod: 'GET' });
    expect(await v3(changes).handle(event)).toMatchObject({ statusCode: 503 });
    expect(await v3().handle(event)).toMatchObject({ statusCode: 200 });
    expect([...fake.stored.values()].flat()).toEqual([]);
  });
});

describe('SecondaryRequired=false', () => {
  const queue = { secondary_required: 'false', dead_letter_queue_url: ASYNCHRONOUS.dead_letter_queue_url };
  const optional = (changes: Readonly<Record<string, string>> = {}, options: HandlerOptions = {}) =>
    handler({ ...queue, ...changes }, options);
  const textOf = (body: unknown): string => gunzipSync(Buffer.from(String(body), 'base64')).toString();

  test.each(['throttles', 'fails', 'drops'])(
    'InfluxDB %s: the client gets 204, and the lines are kept for InfluxDB alone',
    async (what) => {
      influxdb.respond = ({ body }) => INFLUXDB[what]?.(body) ?? STORED;
      const { handle, messages, stored } = optional();
      const query = { org: 'o', bucket: 'b', precision: 's', u: 'user', p: 'secret' };
      expect(await handle(writeEvent(LINES, { queryStringParameters: query }))).toMatchObject({ statusCode: 204 });
      expect(stored).toHaveLength(3);
      expect(messages).toMatchObject([
        {
          asynchronous: true,
          destination: 'influxdb',
          path: '/api/v2/write',
          headers: { 'Content-Encoding': 'gzip' },
          queryStringParameters: { org: 'o', bucket: 'b', precision: 's' },
          isBase64Encoded: true,
          requestContext: { requestTimeEpoch: REQUEST_TIME },
        },
      ]);
      expect(textOf(messages[0]?.body)).toBe(LINES);
      expect(messages[0]).not.toHaveProperty('rejectedLines');
      expect(JSON.stringify(messages)).not.toContain('secret');
    },
  );

  test('such a message, replayed, is stored in InfluxDB with the time of its request, and not in Timestream', async () => {
    influxdb.respond = () => 'drop';
    const first = optional();
    await first.handle(writeEvent('m,t=a v=1i', { queryStringParameters: { precision: 's' } }));
    influxdb.requests.length = 0;
    influxdb.respond = () => STORED;
    for (const destination of ['both', 'influxdb']) {
      const second = handler({ destination });
      expect(await second.handle(first.messages[0])).toBeUndefined();
      expect(second.stored).toEqual([]);
    }
    const line = `m,t=a v=1i ${Math.floor(REQUEST_TIME / 1_000)}\n`;
    expect(bodies()).toEqual([line, line]);
  });

  test('lines that InfluxDB rejects are kept with their reasons, and the client gets 204', async () => {
    influxdb.respond = ({ body }) => INFLUXDB.rejects?.(body) ?? STORED;
    const { handle, messages, objects } = optional({ rejected_lines_bucket: 'rejected' });
    expect(await handle(writeEvent(LINES))).toMatchObject({ statusCode: 204 });
    expect(messages).toMatchObject([
      { destination: 'influxdb', rejectedLines: [expect.stringContaining('line 2: influxdb: field type conflict')] },
    ]);
    expect(textOf(messages[0]?.body)).toBe('m,t=bad v=2.5 8\n');
    expect(objects).toEqual([]);
  });

  test('lines that InfluxDB alone cannot parse are kept', async () => {
    const bad = 'm,t=bad v=2.5 8';
    influxdb.respond = ({ body }) =>
      body.includes(bad) ? json(400, 'invalid', `unable to parse '${bad}': no`) : STORED;
    const { handle, messages } = optional();
    expect(await handle(writeEvent(LINES))).toMatchObject({ statusCode: 204 });
    expect(messages.map(({ body }) => textOf(body))).toEqual([`${bad}\n`]);
  });

  test('candidates are kept if InfluxDB does not say which lines it rejected', async () => {
    const vague = 'failure writing points to database: partial write: max-values-per-tag limit exceeded dropped=1';
    influxdb.respond = () => json(422, 'unprocessable entity', vague);
    const { handle, messages } = optional();
    expect(await handle(writeEvent(LINES))).toMatchObject({ statusCode: 204 });
    expect(messages.map(({ body }) => textOf(body)).join('')).toBe(LINES);
  });

  test('a request for a bucket that is not mapped is stored in Timestream and kept for InfluxDB', async () => {
    const { handle, messages, stored } = optional({ bucket_mapping: 'a=b' });
    const event = writeEvent(`# comment\nbroken\n${LINES}`, { queryStringParameters: { bucket: 'other' } });
    const response = await handle(event);
    expect(response?.statusCode).toBe(400);
    expect(errorIn(response).message).not.toContain('influxdb');
    expect(stored).toHaveLength(3);
    expect(messages.map(({ body }) => textOf(body))).toEqual([LINES]);
    expect(influxdb.requests).toEqual([]);
  });

  test('the response is that of Timestream', async () => {
    influxdb.respond = () => 'drop';
    const send = TIMESTREAM.rejects;
    const response = await optional({}, send && { send }).handle(writeEvent(`${LINES}m v=1 7\nbroken`));
    expect(response?.statusCode).toBe(400);
    expect(errorIn(response).message).toMatch(/line 4: timestream: .*dropped=3$/s);
  });

  test('many megabytes become messages below the limit, which have every line once and in order', async () => {
    influxdb.respond = () => 'drop';
    const random = (n: number): string =>
      Buffer.from(Array.from({ length: 300 }, (_, i) => (n * 7_919 + i * i * 31) % 251)).toString('hex');
    const lines = Array.from({ length: 9_000 }, (_, n) => `m,t=a${n} v="${random(n)}" ${n + 1}`);
    const { handle, messages } = optional();
    const body = Buffer.from(lines.join('\n'));
    expect(body.length).toBeGreaterThan(5_000_000);
    expect(await handle(writeEvent(body))).toMatchObject({ statusCode: 204 });
    expect(messages.length).toBeGreaterThan(1);
    for (const message of messages) expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThanOrEqual(900 * 1024);
    expect(messages.map((message) => textOf(message.body)).join('')).toBe(`${lines.join('\n')}\n`);
  });

  test.each<[string, (body: string) => Answer]>([
    ['unstored', () => 'drop'],
    ['rejected', (body) => INFLUXDB.rejects?.(body) ?? STORED],
  ])('a queue that fails gives 503 for %s lines, and the client sends them again', async (_, respond) => {
    influxdb.respond = ({ body }) => respond(body);
    const sendDeadLetter = () => Promise.reject(new Error('secret-queue'));
    const { handle, stored } = optional({}, { sendDeadLetter });
    const response = await handle(writeEvent(LINES));
    expect(response).toMatchObject({ statusCode: 503, headers: { 'Retry-After': '2' } });
    expect(errorIn(response).message).toContain('could not be stored in influxdb');
    expect(response?.body).not.toMatch(disclosed);
    expect(stored).toHaveLength(3);
  });

  test('a queue that does not respond gives 503 at the deadline', async () => {
    influxdb.respond = () => 'drop';
    const sendDeadLetter = () => new Promise<void>(() => undefined);
    const { handle } = optional({ write_deadline_millis: '500' }, { sendDeadLetter });
    expect(await handle(writeEvent(LINES))).toMatchObject({ statusCode: 503 });
  });

  test('InfluxDB that hangs leaves time for the queue, also with a short deadline', async () => {
    influxdb.respond = () => 'hang';
    const { handle, messages } = optional({ write_deadline_millis: '300' });
    expect(await handle(writeEvent(LINES))).toMatchObject({ statusCode: 204 });
    expect(influxdb.requests).toHaveLength(1);
    expect(messages).toHaveLength(1);
  });
});
