import { CONNECTOR_METRICS, type ConnectorTotals } from 'shared/connector-metrics';
import { type EmbeddedMetricsSettings, embeddedMetrics } from 'shared/embedded-metrics';
import { extractMetrics } from '../support/embedded-metric-format';
import { stdoutLines } from '../support/stdout-lines';

const SETTINGS: EmbeddedMetricsSettings = {
  namespace: 'ONS/InfluxDB',
  service: 'connector-lambda',
  perTable: false,
  logLevel: 'INFO',
};
const TOTALS: ConnectorTotals = {
  pointsStored: 90,
  pointsSuperseded: 2,
  pointsUnstored: 7,
  rejectedLines: 3,
  faultyLines: 1,
  calls: 4,
  throttledCalls: 5,
  newTables: 6,
  requestBytes: 4_096,
  duration: 12.5,
};
const TABLES = new Map([
  ['cpu', { pointsStored: 80, pointsSuperseded: 2, pointsUnstored: 0, calls: 3, throttledCalls: 0 }],
  ['mem', { pointsStored: 10, pointsSuperseded: 0, pointsUnstored: 7, calls: 1, throttledCalls: 5 }],
]);

const recorded = (settings: Partial<EmbeddedMetricsSettings> = {}): Promise<string[]> =>
  stdoutLines(() => embeddedMetrics({ ...SETTINGS, ...settings }).record('timestream', TOTALS, TABLES));

test('writes one line with every metric, its unit, and the dimensions service and destination', async () => {
  const lines = await recorded();
  expect(lines).toHaveLength(1);
  const dimensions = { service: 'connector-lambda', destination: 'timestream' };
  const expected = Object.entries({
    PointsStored: [90, 'Count'],
    PointsSuperseded: [2, 'Count'],
    PointsUnstored: [7, 'Count'],
    RejectedLines: [3, 'Count'],
    FaultyLines: [1, 'Count'],
    Calls: [4, 'Count'],
    ThrottledCalls: [5, 'Count'],
    NewTables: [6, 'Count'],
    RequestBytes: [4096, 'Bytes'],
    Duration: [12.5, 'Milliseconds'],
  }).map(([name, [value, unit]]) => ({ namespace: 'ONS/InfluxDB', name, unit, dimensions, value }));
  expect(extractMetrics(lines[0] ?? '')).toEqual(expected);
  expect(expected.map(({ name }) => name)).toEqual(Object.values(CONNECTOR_METRICS).map(({ name }) => name));
});

test('writes one more line for each table where the metrics of tables are enabled', async () => {
  const [, ...lines] = await recorded({ perTable: true });
  const metrics = lines.flatMap(extractMetrics);
  const tables = { service: 'connector-lambda', destination: 'timestream' };
  expect(metrics.filter(({ name }) => name === 'PointsStored')).toEqual([
    expect.objectContaining({ dimensions: { ...tables, table: 'cpu' }, value: 80 }),
    expect.objectContaining({ dimensions: { ...tables, table: 'mem' }, value: 10 }),
  ]);
  expect(new Set(metrics.map(({ name }) => name))).toEqual(
    new Set(['PointsStored', 'PointsSuperseded', 'PointsUnstored', 'Calls', 'ThrottledCalls']),
  );
});

test('repeats nothing of an earlier request', async () => {
  const lines = await stdoutLines(() => {
    const metrics = embeddedMetrics({ ...SETTINGS, perTable: true });
    metrics.record('timestream', TOTALS, TABLES);
    metrics.record('influxdb', { ...TOTALS, pointsStored: 1 });
  });
  expect(extractMetrics(lines.at(-1) ?? '')[0]).toMatchObject({
    value: 1,
    dimensions: { service: 'connector-lambda', destination: 'influxdb' },
  });
  expect(JSON.parse(lines.at(-1) ?? '')).not.toHaveProperty('table');
});

// Source: "Log-level filtering" in the Lambda developer guide. A line needs both members to keep its level.
test.each([
  ['DEBUG', undefined],
  ['INFO', undefined],
  ['WARN', 'WARN'],
  ['ERROR', 'ERROR'],
] as const)('with LogLevel %s a line has the level %s, so that Lambda does not drop it', async (logLevel, level) => {
  const [line = ''] = await recorded({ logLevel });
  const { level: found, timestamp } = JSON.parse(line);
  expect(found).toBe(level);
  if (level !== undefined) expect(new Date(timestamp).toISOString()).toBe(timestamp);
});

describe('the validator', () => {
  const DOCUMENT = {
    _aws: {
      Timestamp: 1,
      CloudWatchMetrics: [{ Namespace: 'n', Dimensions: [['service']], Metrics: [{ Name: 'Calls', Unit: 'Count' }] }],
    },
    service: 's',
    Calls: 1,
  };

  test('finds the metrics of a document, and none in other log entries', () => {
    expect(extractMetrics(JSON.stringify(DOCUMENT))).toHaveLength(1);
    expect(extractMetrics('{"message": "write"}')).toEqual([]);
  });

  test.each([
    [
      'an unknown unit',
      {
        ...DOCUMENT,
        _aws: {
          ...DOCUMENT._aws,
          CloudWatchMetrics: [{ Namespace: 'n', Dimensions: [[]], Metrics: [{ Name: 'Calls', Unit: 'Points' }] }],
        },
      },
    ],
    [
      'no dimension set',
      { ...DOCUMENT, _aws: { ...DOCUMENT._aws, CloudWatchMetrics: [{ Namespace: 'n', Dimensions: [], Metrics: [] }] } },
    ],
    ['a missing value', { _aws: DOCUMENT._aws, service: 's' }],
    ['a missing dimension', { _aws: DOCUMENT._aws, Calls: 1 }],
    ['a value that is a text', { ...DOCUMENT, Calls: '1' }],
  ])('refuses %s', (_, document) => {
    expect(() => extractMetrics(JSON.stringify(document))).toThrow();
  });
});
