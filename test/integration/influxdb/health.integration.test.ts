/** The health check of a real InfluxDB 2. */
import { assertHealthy, checkHealth } from 'shared/influxdb/health';
import { staticToken } from 'shared/influxdb/token';
import { ADVICE, type ClientSettings, clientOf } from '../../support/influx-writing';
import { BUCKET, describeWithInfluxd, Influxd, STARTING_MS } from '../../support/influxd';

describeWithInfluxd('the health of InfluxDB 2', (binary) => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterAll(() => influxd?.remove());

  async function check(settings: ClientSettings = {}) {
    const client = clientOf(influxd.url, settings);
    try {
      return await checkHealth(client, ADVICE);
    } finally {
      client.close();
    }
  }

  test.each<[string, () => Promise<ClientSettings> | ClientSettings, Record<string, string>, boolean]>([
    ['all checks pass', () => ({}), { alive: 'pass', write: 'pass', read: 'pass' }, true],
    [
      'the token may only write',
      async () => ({ tokens: staticToken(await influxd.makeToken('write')) }),
      { alive: 'pass', write: 'pass', read: 'fail' },
      true,
    ],
    [
      'the token may only read',
      async () => ({ tokens: staticToken(await influxd.makeToken('read')) }),
      { alive: 'pass', write: 'fail', read: 'pass' },
      false,
    ],
    [
      'the token is wrong',
      () => ({ tokens: staticToken('wrong') }),
      { alive: 'pass', write: 'fail', read: 'fail' },
      false,
    ],
    ['the bucket is missing', () => ({ bucket: 'nowhere' }), { alive: 'pass', write: 'fail', read: 'fail' }, false],
    [
      'the bucket has a name that Flux would interpolate',
      () => ({ bucket: ['$', '{1+1}"'].join('') }),
      { alive: 'pass', write: 'fail', read: 'fail' },
      false,
    ],
  ])('%s', async (_, settings, checks, healthy) => {
    const report = await check(await settings());
    expect(report).toMatchObject({ healthy, retryable: false, engine: 'v2', version: 'v2.7.12' });
    expect(Object.fromEntries(report.checks.map(({ name, status }) => [name, status]))).toEqual(checks);
  });

  test('stores nothing', async () => {
    await check();
    const rows = await influxd.query(`from(bucket: "${BUCKET}") |> range(start: 0) |> limit(n: 1)`);
    expect(rows).toEqual([]);
  });

  test('names the engine to use if it is configured as v3', async () => {
    const report = await check({ engine: 'v3' });
    expect(report).toMatchObject({ healthy: false, retryable: false });
    expect(() => assertHealthy(report)).toThrow('this is InfluxDB 2.7.12: use engine v2');
  });

  test('reads a bucket with a name that Flux would interpolate', async () => {
    const bucket = ['$', '{1+1}\\'].join('');
    await influxd.makeBucket(bucket);
    expect(await check({ bucket })).toMatchObject({
      healthy: true,
      checks: [{}, {}, { name: 'read', status: 'pass' }],
    });
  });

  test('reports the reason of InfluxDB', async () => {
    const report = await check({ bucket: 'nowhere' });
    expect(() => assertHealthy(report)).toThrow(
      'InfluxDB cannot be written to: InfluxDB returned 404: bucket "nowhere" not found',
    );
  });
});
