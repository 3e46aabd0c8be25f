/** The parts of the console that are pure: what it records, which hosts it accepts, and the names of its metrics. */

import fc from 'fast-check';
import { CONNECTOR_METRICS, type MetricDefinition } from 'shared/connector-metrics';
import { assertAuthorized, isOwnName } from '../../../local/console/guard';
import { PrometheusMetrics, prometheusName } from '../../../local/console/prometheus';
import { type RecordedWrite, Recorder } from '../../../local/console/recorder';
import { Ring } from '../../../local/console/ring';

const START = 1_700_000_000_000;
const write = (changes: Partial<RecordedWrite> = {}): RecordedWrite => ({
  ...{ time: START, client: 'c', path: '/write', precision: 'ns', bytes: 1, lines: 1, status: 204, milliseconds: 1 },
  ...{ stored: 1, influxdbOnly: 0, unstored: 0, faultyLines: 0, rejectedLines: 0, refused: [], message: '' },
  ...changes,
});

test('a ring keeps the last values, the newest first', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.integer(), { maxLength: 40 }), (size, values) => {
      const ring = new Ring<number>(size);
      for (const value of values) ring.add(value);
      expect(ring.newestFirst()).toEqual([...values].reverse().slice(0, size));
    }),
  );
});

describe('the recorder', () => {
  test('keeps the last 200 writes, with ids in the order of their arrival', () => {
    const recorder = new Recorder();
    for (let index = 0; index < 450; index++) recorder.add(write({ bytes: index }));
    const writes = recorder.newestWrites();
    expect(writes.map(({ bytes }) => bytes)).toEqual(Array.from({ length: 200 }, (_, index) => 449 - index));
    expect([writes[0]?.id, writes[199]?.id]).toEqual(['450', '251']);
  });

  test('counts points and requests in the second in which the response was sent', () => {
    const recorder = new Recorder();
    recorder.add(write({ time: START + 900, milliseconds: 200, stored: 5 }));
    recorder.add(write({ time: START + 1_100, milliseconds: 10, stored: 7 }));
    const { seconds } = recorder.summary(START + 2_000);
    expect(seconds).toHaveLength(300);
    expect(seconds.slice(-3)).toEqual([
      { time: START, points: 0, requests: 0 },
      { time: START + 1_000, points: 12, requests: 2 },
      { time: START + 2_000, points: 0, requests: 0 },
    ]);
  });

  test('drops a second after 300 s, also when no write follows', () => {
    const recorder = new Recorder();
    recorder.add(write({ milliseconds: 0 }));
    const points = (now: number) => recorder.summary(now).seconds.map((second) => second.points);
    expect(points(START + 299_000)[0]).toBe(1);
    expect(points(START + 300_000)).toEqual(Array(300).fill(0));
  });

  test('has the nearest-rank percentiles of the last 1,000 latencies, and none without a write', () => {
    const recorder = new Recorder();
    expect(recorder.summary(START)).toMatchObject({ p50Ms: null, p99Ms: null });
    recorder.add(write({ milliseconds: 7 }));
    expect(recorder.summary(START)).toMatchObject({ p50Ms: 7, p99Ms: 7 });
    for (let index = 1; index <= 1_000; index++) recorder.add(write({ milliseconds: index }));
    expect(recorder.summary(START)).toMatchObject({ p50Ms: 500, p99Ms: 990 });
  });

  test('sums what became of all writes', () => {
    const recorder = new Recorder();
    recorder.add(write({ stored: 2, unstored: 1, faultyLines: 3, rejectedLines: 4, status: 503 }));
    for (let index = 0; index < 300; index++) recorder.add(write());
    expect(recorder.summary(START)).toMatchObject({
      ...{ pointsStored: 302, unstored: 1, faultyLines: 3, rejectedLines: 4 },
      statuses: { 204: 300, 503: 1 },
    });
  });
});

describe('a Host header', () => {
  test.each([
    'localhost',
    'localhost:9000',
    '127.0.0.1',
    '10.0.0.1:9000',
    '[::1]',
    '[fe80::1]:9000',
    'plant.example',
    'a.localhost',
  ])('%s names this machine, which listens on plant.example', (host) =>
    expect(isOwnName(host, 'plant.example')).toBe(true),
  );

  test.each([
    'example.com',
    'plant.example.evil.com',
    'xplant.example',
    '127.0.0.1.evil.com',
    'localhost.evil.com',
    '',
    ':',
    'a@localhost:x',
  ])('%j does not', (host) => expect(isOwnName(host, 'plant.example')).toBe(false));

  test('is missing', () => expect(isOwnName(undefined, 'localhost')).toBe(false));
});

describe('without tokens', () => {
  const from = (remoteAddress: string) => assertAuthorized({ headers: {}, socket: { remoteAddress } }, undefined);

  test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])(
    '%s, this machine, may use the console',
    async (address) => {
      await expect(from(address)).resolves.toBeUndefined();
    },
  );

  test.each(['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '10.127.0.0.1', ''])('%j may not', async (address) => {
    await expect(from(address)).rejects.toMatchObject({ status: 403, message: expect.stringContaining('--token') });
  });
});

describe('the metrics for Prometheus', () => {
  // Written by hand from the names in CloudWatch and the rules of Prometheus.
  test('have the names of CloudWatch in snake case, with base units and suffixes', () => {
    expect(Object.values(CONNECTOR_METRICS).map((metric) => prometheusName(metric))).toEqual([
      'connector_points_stored_total',
      'connector_points_superseded_total',
      'connector_points_unstored_total',
      'connector_rejected_lines_total',
      'connector_faulty_lines_total',
      'connector_calls_total',
      'connector_throttled_calls_total',
      'connector_new_tables_total',
      'connector_request_bytes',
      'connector_duration_seconds',
    ]);
  });

  test('has every metric of CloudWatch from the start, in its own unit', async () => {
    const metrics = new PrometheusMetrics(['timestream']);
    const totals = Object.fromEntries(Object.keys(CONNECTOR_METRICS).map((name) => [name, 1_500]));
    metrics.record('timestream', totals as Parameters<PrometheusMetrics['record']>[1]);
    metrics.record('influxdb', totals as Parameters<PrometheusMetrics['record']>[1]);
    const text = await metrics.text();
    for (const metric of Object.values<MetricDefinition>(CONNECTOR_METRICS)) {
      const sample = prometheusName(metric) + (metric.kind === 'counter' ? '' : '_sum');
      const value = metric.unit === 'Milliseconds' ? '1.5' : '1500';
      for (const destination of ['timestream', 'influxdb']) {
        expect(text).toContain(`\n${sample}{destination="${destination}"} ${value}\n`);
      }
    }
  });
});
