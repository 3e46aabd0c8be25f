import type { ConnectorMetrics, ConnectorTotals, TableTotals } from 'shared/connector-metrics';
import { embeddedMetrics } from 'shared/embedded-metrics';
import type { SendWriteRecords } from 'shared/timestream/service';
import { ASYNCHRONOUS, handlerOf, writeEvent } from '../../support/connector-handler';
import { extractMetrics } from '../../support/embedded-metric-format';
import { STORED, scriptedInfluxDB } from '../../support/scripted-influxdb';
import { stdoutLines } from '../../support/stdout-lines';
import { expandCall } from '../../support/timestream-calls';

interface Recorded {
  readonly destination: string;
  readonly totals: ConnectorTotals;
  readonly tables: Readonly<Record<string, TableTotals>>;
}

function recorder(): ConnectorMetrics & { readonly recorded: Recorded[] } {
  const recorded: Recorded[] = [];
  return {
    recorded,
    record: (destination, totals, tables) =>
      recorded.push({ destination, totals, tables: Object.fromEntries(tables ?? []) }),
  };
}

const PER_TABLE = { metrics_namespace: 'n', metrics_per_table: 'true' };
const OK = { status: 200, body: Buffer.from('{}') };
const error = (type: string, fields = {}) => ({
  status: 400,
  body: Buffer.from(JSON.stringify({ __type: type, message: 'refused', ...fields })),
});
const scripted =
  (...responses: Awaited<ReturnType<SendWriteRecords>>[]): SendWriteRecords =>
  () =>
    Promise.resolve(responses.shift() ?? OK);

const THROTTLED = error('ThrottlingException');
const MISSING = error('ResourceNotFoundException', { message: 'The table cpu does not exist.' });
const SUPERSEDED = error('RejectedRecordsException', {
  RejectedRecords: [
    { RecordIndex: 0, Reason: 'older', ExistingVersion: 9_000_000_000_000 },
    { RecordIndex: 1, Reason: 'a type conflict' },
  ],
});
const THREE_POINTS = 'cpu,host=a v=1 1\ncpu,host=b v=1 1\ncpu,host=c v=1 1';

test('records one set of totals for a write', async () => {
  const metrics = recorder();
  const { handle } = handlerOf({ metrics, send: scripted(SUPERSEDED) });
  const body = `${THREE_POINTS}\nnot line protocol`;
  await handle(writeEvent(body));
  expect(metrics.recorded).toEqual([
    {
      destination: 'timestream',
      totals: {
        pointsStored: 2,
        pointsSuperseded: 1,
        pointsUnstored: 0,
        rejectedLines: 1,
        faultyLines: 1,
        calls: 1,
        throttledCalls: 0,
        newTables: 0,
        requestBytes: body.length,
        duration: expect.any(Number),
      },
      tables: {},
    },
  ]);
});

test('counts throttled calls and created tables although a retry stores the points', async () => {
  const metrics = recorder();
  const { handle } = handlerOf({ metrics, send: scripted(THROTTLED, MISSING) });
  expect((await handle(writeEvent(THREE_POINTS)))?.statusCode).toBe(204);
  expect(metrics.recorded[0]?.totals).toMatchObject({ pointsStored: 3, calls: 3, throttledCalls: 1, newTables: 1 });
});

test('counts points as unstored that no retry stored before the deadline', async () => {
  const metrics = recorder();
  const send: SendWriteRecords = () => Promise.resolve(THROTTLED);
  const { handle } = handlerOf({ metrics, send, environment: { write_deadline_millis: '100' } });
  expect((await handle(writeEvent(THREE_POINTS)))?.statusCode).toBe(429);
  const [{ totals } = { totals: undefined }] = metrics.recorded;
  expect(totals).toMatchObject({ pointsStored: 0, pointsUnstored: 3 });
  expect(totals?.throttledCalls).toBe(totals?.calls);
});

test('the totals of the tables add up to the totals of the request', async () => {
  const metrics = recorder();
  const send: SendWriteRecords = (body) =>
    Promise.resolve(expandCall(body).table === 'mem' ? error('AccessDeniedException') : OK);
  const { handle } = handlerOf({ metrics, send, environment: PER_TABLE });
  await handle(writeEvent(`${THREE_POINTS}\nmem,host=a v=1 1\nmem,host=b v=1 1`));
  expect(metrics.recorded[0]).toMatchObject({
    totals: { pointsStored: 3, pointsUnstored: 2, calls: 2 },
    tables: {
      cpu: { pointsStored: 3, pointsSuperseded: 0, pointsUnstored: 0, calls: 1, throttledCalls: 0 },
      mem: { pointsStored: 0, pointsSuperseded: 0, pointsUnstored: 2, calls: 1, throttledCalls: 0 },
    },
  });
});

describe('with two destinations', () => {
  const influxdb = scriptedInfluxDB();
  const both = (changes: Record<string, string> = {}) => {
    const environment = {
      destination: 'both',
      INFLUXDB_URL: influxdb.url,
      INFLUXDB_TOKEN: 'token',
      dead_letter_queue_url: 'https://sqs.us-east-1.amazonaws.com/123456789012/queue',
      ...changes,
    };
    const metrics = recorder();
    return { metrics, ...handlerOf({ metrics, environment }) };
  };

  test('records the totals of each', async () => {
    influxdb.respond = (_, index) => (index === 0 ? { status: 429 } : STORED);
    const { metrics, handle } = both();
    expect((await handle(writeEvent(`${THREE_POINTS}\nnot line protocol`)))?.statusCode).toBe(400);
    expect(metrics.recorded.map(({ destination, totals }) => [destination, totals])).toMatchObject([
      ['timestream', { pointsStored: 3, calls: 1, throttledCalls: 0, faultyLines: 1 }],
      // The request's invalid lines count for the first destination only.
      ['influxdb', { pointsStored: 3, calls: 2, throttledCalls: 1, faultyLines: 0, newTables: 0 }],
    ]);
  });

  test('points that go to the dead-letter queue for one of them are not stored in it', async () => {
    influxdb.respond = () => ({ status: 401 });
    const { metrics, handle } = both({ secondary_required: 'false' });
    expect((await handle(writeEvent(THREE_POINTS)))?.statusCode).toBe(204);
    expect(metrics.recorded.map(({ totals }) => [totals.pointsStored, totals.pointsUnstored])).toEqual([
      [3, 0],
      [0, 3],
    ]);
  });
});

test.each(['/ping', '/health', '/ready', '/api/v2/query'])('records nothing for GET %s', async (path) => {
  const metrics = recorder();
  await handlerOf({ metrics }).handle(writeEvent('', { httpMethod: 'GET', path, resource: path }));
  expect(metrics.recorded).toEqual([]);
});

test('records nothing for a request that is refused before its lines are read', async () => {
  const metrics = recorder();
  const { handle } = handlerOf({ metrics, environment: { max_lines: '2' } });
  expect((await handle(writeEvent(THREE_POINTS)))?.statusCode).toBe(413);
  expect(metrics.recorded).toEqual([]);
});

test('in asynchronous mode records a write when it is stored, and each replay of its message', async () => {
  const metrics = recorder();
  const { handle, handedOver } = handlerOf({ metrics, environment: ASYNCHRONOUS });
  expect((await handle(writeEvent(THREE_POINTS)))?.statusCode).toBe(202);
  expect(metrics.recorded).toEqual([]);
  await handle(handedOver[0]);
  await handle(handedOver[0]);
  expect(metrics.recorded.map(({ totals }) => totals.pointsStored)).toEqual([3, 3]);
});

test('writes one line of the embedded metric format per request', async () => {
  const metrics = embeddedMetrics({ namespace: 'n', service: 'connector', logLevel: 'INFO' });
  const { handle } = handlerOf({ metrics });
  const lines = await stdoutLines(() => handle(writeEvent(THREE_POINTS)));
  expect(lines).toHaveLength(1);
  expect(extractMetrics(lines[0] ?? '')).toContainEqual(
    expect.objectContaining({
      name: 'PointsStored',
      value: 3,
      dimensions: { service: 'connector', destination: 'timestream' },
    }),
  );
});
