/**
 * Random line protocol is written straight into a real InfluxDB, and through the connector into the embedded Timestream, from where UNLOAD
 * exports it and a migration loads it into another bucket. Both buckets are compared value by value.
 */
import { InfluxClient } from 'shared/influxdb/client';
import { staticToken } from 'shared/influxdb/token';
import { connectorBefore } from '../contract/connector/harness';
import { DATABASE } from '../contract/timestream/harness';
import { findInfluxd, Influxd, ORG, STARTING_MS, TOKEN } from '../support/influxd';
import { configOf } from '../support/loader';
import { REQUEST, type Source, startSource } from '../support/migration';
import { migrate, migrationServices } from '../support/migration-run';
import { testReader } from '../support/parquet';
import { BATCHES, type Batch, batches, SEED } from './circle/batches';
import { migrated, type Way, written } from './circle/replay';
import { documentedDifferences } from './differential/documented';
import { toValue } from './differential/influxdb-side';
import { canonical, type Value } from './differential/stored';
import { describeProof, detail } from './report';

const binary = findInfluxd();
const missing = binary === undefined ? 'no influxd: set INFLUXD to one of version 2.7' : undefined;
const SINGLE_TABLE = 'points';
const SHARD_SECONDS = 100 * 365 * 86_400;

const WAYS: readonly (readonly [name: string, way: Way])[] = [
  [
    'a table per measurement, escaped names, --measure-name drop',
    { table: 'multi-table', escapeNames: true, measureName: 'drop' },
  ],
  ['a table per measurement, --measure-name tag', { table: 'multi-table', escapeNames: false, measureName: 'tag' }],
  ['one table, --measure-name tag', { table: 'single-table', escapeNames: false, measureName: 'tag' }],
];

const textOf = ({ measurement, tags, time, field, type, value }: Value): string =>
  JSON.stringify([measurement, tags, String(time), field, type, canonical(type, value)]);
const texts = (values: readonly Value[]): string[] => values.map(textOf).sort();

/** Values of one list that the other lacks, a few of them. */
function differences(found: readonly string[], expected: readonly string[]) {
  const [have, want] = [new Set(found), new Set(expected)];
  return {
    missing: expected.filter((text) => !have.has(text)).slice(0, 10),
    extra: found.filter((text) => !want.has(text)).slice(0, 10),
  };
}
const NONE = { missing: [], extra: [] };

const reader = testReader();

describeProof('InfluxDB OSS 2.7.12, the connector, the embedded Timestream, UNLOAD and a migration', missing, () => {
  let influxd: Influxd;
  const counts: (string | number)[][] = [];
  const listed: (string | number)[][] = [];
  const classes = new Set<string>();
  beforeAll(async () => {
    influxd = await Influxd.start(binary ?? '');
  }, STARTING_MS);
  afterAll(async () => {
    await influxd.remove();
    detail('Circles', ['way', 'batches', 'lines', 'values written', 'values migrated'], counts);
    detail('Differences', ['way', 'class', 'values'], listed);
  });

  const makeBucket = async (name: string): Promise<void> => {
    // One shard for all points, because creating a shard takes 60 ms.
    const retentionRules = [{ type: 'expire', everySeconds: 0, shardGroupDurationSeconds: SHARD_SECONDS }];
    await influxd.post('/api/v2/buckets', { orgID: await influxd.orgId(), name, retentionRules });
  };
  const valuesIn = async (bucket: string): Promise<Value[]> =>
    (await influxd.values(bucket)).map((value) => toValue(value));

  /** Writes each batch to both; the connector refuses only the lines of the listed classes. */
  async function write(
    all: readonly Batch[],
    bucket: string,
    { table, escapeNames }: Way,
    source: Source,
  ): Promise<void> {
    const connector = await connectorBefore(source.harness.server.url, {
      environment: {
        database_name: DATABASE,
        table_mapping: table,
        ...(table === 'single-table' && { single_table_name: SINGLE_TABLE }),
        escape_names: String(escapeNames),
        mag_store_retention_period: '73000',
      },
    });
    const unexpected: unknown[] = [];
    for (const { precision, lines } of all) {
      const body = lines.map(({ text }) => text).join('\n');
      const query = new URLSearchParams({ org: ORG, bucket, precision });
      const init = { method: 'POST', body, headers: { Authorization: `Token ${TOKEN}` } };
      const responses = await Promise.all([
        fetch(`${influxd.url}/api/v2/write?${query}`, init),
        fetch(`${connector.url}/api/v2/write?${query}`, { ...init, headers: { Connection: 'close' } }),
      ]);
      const [direct, through] = await Promise.all(
        responses.map(async (each) => [each.status, await each.text()] as const),
      );
      if (direct?.[0] !== 204 || (through?.[0] !== 204 && through?.[0] !== 422))
        unexpected.push({ body, direct, through });
    }
    await connector.close();
    expect(unexpected).toEqual([]);
  }

  async function migrateInto(bucket: string, measureName: Way['measureName'], source: Source) {
    const config = configOf(influxd.url);
    const target = { ...config.target, bucket };
    const influxdb = new InfluxClient(target, staticToken(TOKEN));
    const loading = { config: { ...config, workBucket: 'work-bucket', target }, influxdb };
    const services = migrationServices(source, influxd, reader, { influxdb }, loading);
    return await migrate({ ...REQUEST, mapping: { measureName }, verify: 'sums' }, services);
  }

  test.each(WAYS)(
    `${BATCHES} random batches of seed ${SEED}, %s: both buckets are equal, except for the listed differences`,
    async (name, way) => {
      const circle = WAYS.findIndex(([each]) => each === name);
      const all = batches(circle, way.escapeNames);
      const [direct, other] = [`direct-${circle}`, `migrated-${circle}`];
      const source = await startSource();
      try {
        await makeBucket(direct);
        await makeBucket(other);
        await write(all, direct, way, source);
        const stored = await valuesIn(direct);
        expect(differences(texts(stored), texts(written(all)))).toEqual(NONE);

        const report = await migrateInto(other, way.measureName, source);
        expect([report.status, report.message]).toEqual(['proved', expect.any(String)]);
        const expected = migrated(all, way, SINGLE_TABLE);
        const found = await valuesIn(other);
        expect(differences(texts(found), texts(expected.values))).toEqual(NONE);

        counts.push([name, all.length, all.flatMap(({ lines }) => lines).length, stored.length, found.length]);
        for (const kind of expected.classes.keys()) classes.add(kind);
        listed.push(...[...expected.classes].sort().map(([kind, values]) => [name, kind, values]));
      } finally {
        await source.stop();
      }
    },
  );

  test('each difference occurs, and is documented', () => {
    expect([...classes].sort()).toEqual(
      [...documentedDifferences('From InfluxDB through Timestream and back').keys()].sort(),
    );
  });
});
