/** What is read of a bucket of a real InfluxDB 2 before a load. */
import { readBucket } from 'shared/influxdb/bucket';
import { staticToken } from 'shared/influxdb/token';
import { type ClientSettings, clientOf } from '../../support/influx-writing';
import { describeWithInfluxd, Influxd, STARTING_MS, TOKEN } from '../../support/influxd';

describeWithInfluxd('a bucket of InfluxDB 2', (binary) => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterAll(() => influxd?.remove());

  const write = (lines: string, bucket?: string) => influxd.write(lines, bucket);

  async function read(settings: ClientSettings = {}) {
    const client = clientOf(influxd.url, settings);
    const reading = await readBucket(client);
    client.close();
    if (reading.kind === 'unread') return reading.reason;
    const { columns, retentionSeconds } = reading.state;
    const kinds = [...columns].map(([measurement, fields]) => [
      measurement,
      Object.fromEntries([...fields].map(([name, types]) => [name, [...types].sort()])),
    ]);
    return { retentionSeconds, columns: Object.fromEntries(kinds) as unknown };
  }

  test('reads every type, and several types of a field in different shards', async () => {
    await write('m,h=a f=1,i=1i,u=1u,b=true,s="x" 0\nother\\ one a\\=b=1i 0');
    await write(`m,h=a i=1.5 ${BigInt(Date.now()) * 1_000_000n}`);
    expect(await read()).toEqual({
      retentionSeconds: undefined,
      columns: {
        m: { f: ['float'], i: ['float', 'integer'], u: ['unsigned'], b: ['boolean'], s: ['string'] },
        'other one': { 'a=b': ['integer'] },
      },
    });
  });

  test.each(['days', 'a b', 'db/rp', 'a/b/c', 'é&?=%'])(
    'reads the retention and the fields of the bucket %s',
    async (bucket) => {
      await influxd.makeBucket(bucket, 7_200);
      await write(`m v=1i ${BigInt(Date.now()) * 1_000_000n}`, bucket);
      expect(await read({ bucket })).toEqual({ retentionSeconds: 7_200, columns: { m: { v: ['integer'] } } });
    },
  );

  test('reads its own bucket if another one is mapped to its name', async () => {
    await influxd.makeBucket('named');
    await influxd.makeBucket('target');
    await write('m v=1i 0', 'named');
    await write('m v="x" 0', 'target');
    const { buckets } = await influxd.get<{ buckets: { id: string }[] }>('/api/v2/buckets?name=target');
    const names = { database: 'named', retention_policy: 'x', default: true };
    await influxd.post('/api/v2/dbrps', { orgID: await influxd.orgId(), bucketID: buckets[0]?.id, ...names });
    expect(await read({ bucket: 'named' })).toEqual({
      retentionSeconds: undefined,
      columns: { m: { v: ['integer'] } },
    });
  });

  test('says why it cannot be read', async () => {
    expect(await read({ tokens: staticToken(await influxd.makeToken('read')) })).toMatchObject({
      columns: {} as object,
    });
    expect(await read({ tokens: staticToken(await influxd.makeToken('write')) })).toBe(
      'the token may not read this bucket',
    );
    expect(await read({ tokens: staticToken('wrong') })).toBe('InfluxDB returned 401: unauthorized access');
    expect(await read({ bucket: 'nowhere' })).toBe('InfluxDB returned 404: bucket "nowhere" not found');
    expect(await read({ org: 'nobody', tokens: staticToken(TOKEN) })).toMatch(
      /404: organization name "nobody" not found/,
    );
  });
});
