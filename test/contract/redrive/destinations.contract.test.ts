/** Asynchronous mode and replays where points are stored in InfluxDB, or in Timestream and InfluxDB. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { SendWriteRecords } from 'shared/timestream/service';
import { messageQueue, replayTargets } from '../../../functions/redrive-dead-letters/clients';
import { type RedriveSummary, redrive } from '../../../functions/redrive-dead-letters/redrive';
import type { WriteEvent } from '../../../functions/write-line-protocol/request';
import { AwsDoubles } from '../../support/aws-doubles';
import { ASYNCHRONOUS, errorIn, type HandlerOptions, handlerOf, writeEvent } from '../../support/connector-handler';
import { STORED, scriptedInfluxDB } from '../../support/scripted-influxdb';
import { answer } from '../../support/timestream-model';
import { VirtualClock } from '../../support/virtual-clock';
import { silentLogger } from '../connector/harness';

const influxdb = scriptedInfluxDB();
const LINES = 'm,t=a v=1i 7\nm,t=b v=2i';

const handler = (changes: Readonly<Record<string, string>> = {}, options: HandlerOptions = {}) =>
  handlerOf({
    environment: {
      ...ASYNCHRONOUS,
      destination: 'both',
      INFLUXDB_URL: influxdb.url,
      INFLUXDB_ORG: 'plant',
      INFLUXDB_BUCKET: 'metrics',
      INFLUXDB_TOKEN: 'secret-token',
      ...changes,
    },
    ...options,
  });
const places = (): string[] =>
  influxdb.requests.map(({ query }) => `${query.get('org')} ${query.get('bucket')} ${query.get('precision')}`);

async function handedOver(
  changes: Readonly<Record<string, string>>,
  event: WriteEvent,
): Promise<WriteEvent | undefined> {
  const first = handler(changes);
  expect(await first.handle(event)).toMatchObject({ statusCode: 202 });
  expect([first.stored, influxdb.requests]).toEqual([[], []]);
  return first.handedOver[0];
}

const denied: SendWriteRecords = () => Promise.resolve(answer(400, 'AccessDeniedException', { message: 'no' }));

describe('an event that was handed over', () => {
  test.each<[string, WriteEvent, string]>([
    [
      'organization and bucket',
      writeEvent(LINES, { queryStringParameters: { org: 'o', bucket: 'b', precision: 'ms' } }),
      'o b ms',
    ],
    [
      'the id of the organization',
      writeEvent(LINES, { queryStringParameters: { orgID: '0123456789abcdef', bucket: 'b' } }),
      '0123456789abcdef b ns',
    ],
    [
      'database and retention policy',
      writeEvent(LINES, { resource: '/write', queryStringParameters: { db: 'd', rp: 'r', precision: 'u' } }),
      'plant d/r us',
    ],
  ])('keeps %s of the request', async (_, event, place) => {
    const names = { destination: 'influxdb', bucket_mapping: 'passthrough', org_mapping: 'passthrough' };
    const second = handler(names);
    expect(await second.handle(await handedOver(names, event))).toBeUndefined();
    expect(places()).toEqual([place]);
    expect(second.stored).toEqual([]);
  });

  test('is stored in both, lines without a timestamp with the time of the request', async () => {
    const second = handler();
    const event = writeEvent(LINES, { requestContext: { requestTimeEpoch: 1_709_294_401_234 } });
    expect(await second.handle(await handedOver({}, event))).toBeUndefined();
    expect(influxdb.requests.map(({ body }) => body)).toEqual(['m,t=a v=1i 7\nm,t=b v=2i 1709294401234000000\n']);
    expect(second.stored.map(({ time }) => time)).toEqual([7n, 1_709_294_401_234_000_000n]);
    expect(second.messages).toEqual([]);
  });

  test('is not accepted for a bucket that is not mapped: the client gets 404', async () => {
    const first = handler({ bucket_mapping: 'a=b' });
    expect(await first.handle(writeEvent(LINES))).toMatchObject({ statusCode: 404 });
    expect(first.handedOver).toEqual([]);
  });

  test.each([
    ['InfluxDB', {}, 'drop' as const, / in influxdb: /, [2, 2]],
    ['Timestream', { send: denied }, STORED, / in timestream: AccessDeniedException/, [0, 1]],
  ])(
    'throws while %s has not stored it, and names it; the other destination has it',
    async (_, options, given, reason, [stored, calls]) => {
      influxdb.respond = () => given;
      const second = handler({}, options);
      await expect(second.handle(await handedOver({}, writeEvent(LINES)))).rejects.toMatchObject({
        name: 'StorageUnavailableError',
        message: expect.stringMatching(reason),
      });
      expect(second.stored).toHaveLength(stored ?? 0);
      expect(influxdb.requests.length).toBeGreaterThanOrEqual(calls ?? 0);
      expect(second.messages).toEqual([]);
    },
  );

  test('with SecondaryRequired=false ends without an error; the lines are in a message for InfluxDB alone', async () => {
    influxdb.respond = () => 'drop';
    const optional = { secondary_required: 'false' };
    const second = handler(optional);
    expect(await second.handle(await handedOver(optional, writeEvent(LINES)))).toBeUndefined();
    expect(second.stored).toHaveLength(2);
    expect(second.messages).toMatchObject([{ asynchronous: true, destination: 'influxdb' }]);
    expect(gunzipSync(Buffer.from(String(second.messages[0]?.body), 'base64')).toString()).toBe(`${LINES}\n`);
  });

  test('rejected lines become one message for each destination that alone lacks them, and one for both with those that neither has', async () => {
    const message =
      'failure writing points to database: partial write: field type conflict: input field "w" on measurement "m" is type float, already exists as type string dropped=1';
    influxdb.respond = ({ body }) =>
      body.includes('w=1') ? { status: 422, body: JSON.stringify({ code: 'unprocessable entity', message }) } : STORED;
    const send: SendWriteRecords = (call) => {
      const { Records } = JSON.parse(Buffer.from(call).toString()) as { Records: unknown[] };
      const RecordIndex = Records.findIndex((record) => JSON.stringify(record).includes('"late"'));
      const rejected = { RejectedRecords: [{ RecordIndex, Reason: 'too old' }] };
      return Promise.resolve(
        RecordIndex < 0 ? { status: 200, body: Buffer.from('{}') } : answer(419, 'RejectedRecordsException', rejected),
      );
    };
    const second = handler({}, { send });
    const lines = `${LINES}\nbroken\nm v=3i 9\nm,t=c w=1 10\nm,t=late v=4i 11`;
    expect(await second.handle(await handedOver({}, writeEvent(lines)))).toBeUndefined();
    expect(
      second.messages.map(({ destination, body, rejectedLines }) => [destination, body, rejectedLines?.length]),
    ).toEqual([
      [undefined, 'broken\nm v=3i 9\n', 2],
      ['timestream', 'm,t=late v=4i 11\n', 1],
      ['influxdb', 'm,t=c w=1 10\n', 1],
    ]);
    const inInfluxDB = influxdb.requests.map(({ body }) => body).join('');
    expect([inInfluxDB.includes('t=late'), inInfluxDB.includes('v=3i')]).toEqual([true, false]);
    expect(JSON.stringify(second.messages)).not.toContain('secret');
  });
});

describe('the redrive of a message for one destination', () => {
  const sample = JSON.parse(
    readFileSync(join(__dirname, '../../../events/dead-letter-write-influxdb.json'), 'utf8'),
  ) as WriteEvent;
  let aws: AwsDoubles;
  let current: ReturnType<typeof handler>;
  beforeEach(async () => {
    current = handler();
    aws = await AwsDoubles.start({ writer: (event) => current.handle(event) });
  });
  afterEach(() => aws.stop());

  const run = (): Promise<RedriveSummary> => {
    const { sqs, lambda, executions } = aws.clients;
    const config = { writeFunction: 'writer', loadObjectFunction: undefined, workflow: undefined };
    return redrive(
      { messagesPerSecond: 5, maxMessages: 10, maxTries: 3, timeoutsMs: { write: 1_000, object: 1 } },
      {
        queue: messageQueue(aws.queueUrl('dead-letters'), aws.queueUrl('parking'), sqs),
        targets: replayTargets(config, { lambda, executions, objects: { read: () => Promise.resolve(undefined) } }),
        stateMachineArn: undefined,
        fromParking: false,
        logger: silentLogger,
        clock: new VirtualClock(),
      },
      { signal: new AbortController().signal, msLeft: () => 900_000 },
    );
  };

  test.each(['both', 'influxdb'])('with the destination %s it is stored in InfluxDB alone', async (destination) => {
    current = handler({ destination });
    aws.put('dead-letters', sample);
    expect(await run()).toMatchObject({ replayed: 1, ended: 'empty' });
    expect(influxdb.requests.map(({ body }) => body)).toEqual([
      'weather,city=Lisbon temperature=21.5,humidity=40i 1709294400\nweather,city=Porto temperature=18,humidity=61i 1709294401\n',
    ]);
    expect(current.stored).toEqual([]);
  });

  test('is put back while InfluxDB is away', async () => {
    influxdb.respond = () => 'drop';
    aws.put('dead-letters', sample);
    expect(await run()).toMatchObject({ replayed: 0, putBack: 1 });
    expect(aws.messages('dead-letters')).toHaveLength(1);
  });

  test.each<[string, WriteEvent, Record<string, string>]>([
    ['InfluxDB', sample, { destination: 'timestream' }],
    ['Timestream', { ...sample, destination: 'timestream' }, { destination: 'influxdb' }],
  ])(
    'is parked at once if %s is no longer a destination, and the reason names the parameter',
    async (_, message, changes) => {
      current = handler(changes);
      aws.put('dead-letters', message);
      expect(await run()).toMatchObject({ parked: 1, replayed: 0 });
      expect(current.stored).toEqual([]);
      expect(influxdb.requests).toEqual([]);
      const [parked] = aws.messages('parking');
      expect(parked?.attributes.Reason?.StringValue).toContain(`Destination is ${changes.destination}`);
    },
  );

  test('a message without a destination is stored in what is configured at the time of the replay', async () => {
    const { destination: _, ...whole } = sample;
    aws.put('dead-letters', whole);
    expect(await run()).toMatchObject({ replayed: 1 });
    expect(current.stored).toHaveLength(2);
    expect(influxdb.requests).toHaveLength(1);
  });
});

test('a client cannot choose the destination of its request', async () => {
  const { handle, stored } = handler({ enable_async_invocation: 'false' });
  const event = { ...writeEvent(LINES), destination: 'influxdb' };
  expect(await handle(event)).toMatchObject({ statusCode: 204 });
  expect(stored).toHaveLength(2);
});

test('an event with an unknown destination fails, and stores nothing', async () => {
  const { handle, stored } = handler();
  const event = { ...writeEvent(LINES), asynchronous: true, destination: 'elsewhere' };
  await expect(handle(event)).rejects.toMatchObject({ name: 'InvalidEventError' });
  expect([stored, influxdb.requests]).toEqual([[], []]);
});

test('a request for a bucket that is not mapped is answered as by InfluxDB', async () => {
  const { handle } = handler({ destination: 'influxdb', bucket_mapping: 'a=b', enable_async_invocation: 'false' });
  const response = await handle(writeEvent(LINES, { queryStringParameters: { bucket: 'c' } }));
  expect(response?.statusCode).toBe(404);
  expect(errorIn(response)).toEqual({ code: 'not found', message: 'bucket "c" not found' });
});
