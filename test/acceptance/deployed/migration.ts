/** The deployed migration: from the embedded Timestream, through the emulator's S3, into a real InfluxDB. */
import { CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { DeleteBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { _Record as Record_ } from '@aws-sdk/client-timestream-write';
import { S3Destination } from '../../../local/timestream/unload/s3-destination';
import { migrationStateSchema } from '../../../schemas/migrations-api';
import { bundleProgram, runProgram } from '../../contract/cli/program';
import { DATABASE, type Harness, makeTable, startHarness, writeRecords } from '../../contract/timestream/harness';
import { BUCKET, Influxd, TOKEN } from '../../support/influxd';
import { type MiniStack, STACK, until } from '../../support/ministack';
import type { Deployed } from './deployed';

const SECRET = 'influxdb/migration-token';
const ROWS = 200;
const TABLES = ['machines', 'rooms'];
const HOUR = 3_600_000;

/** Rows of two types of fields; every fourth row has no float. */
function records(now: number): Record_[] {
  return Array.from({ length: ROWS }, (_, n) => ({
    Dimensions: [{ Name: 'device', Value: `d ${n % 5}` }],
    MeasureName: 'metrics',
    MeasureValueType: 'MULTI',
    MeasureValues: [
      { Name: 'count', Type: 'BIGINT', Value: String(9_007_199_254_740_993n + BigInt(n)) },
      ...(n % 4 === 0 ? [] : [{ Name: 'load', Type: 'DOUBLE' as const, Value: `${n}.25` }]),
    ],
    Time: String(now - HOUR - n * 1_000),
  }));
}

/** @param deployed the running emulator */
export function describeMigration(deployed: () => Deployed, binary: string): void {
  let influxd: Influxd;
  let ministack: MiniStack;
  let timestream: Harness;

  beforeAll(async () => {
    ({ ministack } = deployed());
    influxd = await Influxd.start(binary);
    const s3 = new S3Client({ ...ministack.client, forcePathStyle: true });
    timestream = await startHarness({
      now: Date.now,
      unload: { destination: new S3Destination(s3), intervalMs: 0, waitMs: 100 },
    });
    for (const TableName of TABLES) {
      await makeTable(timestream, { TableName });
      const all = records(Date.now());
      for (let i = 0; i < all.length; i += 100) await writeRecords(timestream, TableName, all.slice(i, i + 100));
    }
    const secret = { Name: SECRET, SecretString: JSON.stringify({ token: TOKEN }) };
    await new SecretsManagerClient(ministack.client).send(new CreateSecretCommand(secret));
    await deployed().deploy({
      InfluxDBUrl: influxd.url,
      InfluxDBTokenSecretName: SECRET,
      DataBucketName: 'energy-files',
      LoaderReservedConcurrency: '',
      MigrationDatabaseName: DATABASE,
      TimestreamQueryEndpoint: timestream.server.url,
    });
    // The policy refuses plain HTTP, and MiniStack has nothing else.
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: ministack.output('WorkBucketName') }));
  });

  afterAll(async () => {
    await timestream?.close();
    await influxd?.remove();
  });

  async function start(input: object): Promise<string> {
    const response = await ministack.request('POST', '/migrations', input);
    expect(response.status).toBe(202);
    const { migrationId } = (await response.json()) as { migrationId: string };
    return migrationId;
  }

  const describeOnce = async (id: string) =>
    migrationStateSchema.parse(await (await ministack.request('GET', `/migrations/${id}`)).json());

  const ended = (id: string) =>
    until(
      () => describeOnce(id),
      ({ state }) => state !== 'RUNNING',
    );

  async function stored(): Promise<Record<string, number>> {
    const rows = await influxd.query(
      `from(bucket: "${BUCKET}") |> range(start: -1d) |> toString() |> group(columns: ["_measurement", "_field"]) |> count()`,
    );
    return Object.fromEntries(rows.map((row) => [`${row._measurement} ${row._field}`, Number(row._value)]));
  }

  const EXPECTED = Object.fromEntries(
    TABLES.flatMap((table) => [
      [`${table} count`, ROWS],
      [`${table} load`, (ROWS * 3) / 4],
    ]),
  );

  let migrated: string;

  test('migrates all tables of the database, and proves it', async () => {
    migrated = await start({ verify: 'sums', clientToken: 'everything' });
    expect(await start({ verify: 'sums', clientToken: 'everything' })).toBe(migrated);
    const state = await ended(migrated);
    expect([state.state, state.error, state.cause]).toEqual(['SUCCEEDED', undefined, undefined]);
    expect(state.result?.status).toBe('proved');
    const rows = TABLES.length * ROWS;
    const windows = TABLES.length;
    expect(state.progress).toEqual({
      ...{ windows, exported: windows, failed: 0, loaded: windows, verified: windows, differing: 0 },
      ...{ rows, points: rows, pointsWritten: rows, rejectedPoints: 0, failedPoints: 0 },
      pointsPerSecond: expect.any(Number),
    });
    expect(await stored()).toEqual(EXPECTED);
  });

  test('migrate --stack continues it, exports and loads nothing again, and shows that it is proved', async () => {
    bundleProgram();
    const { code, out, err } = await runProgram(['migrate', '--stack', STACK, '--resume', migrated], {
      env: ministack.variables,
    });
    expect([code, out]).toEqual([0, expect.stringContaining('proved, every window is equal')]);
    expect(err).toContain('2 windows: 2 exported, 2 loaded, 2 verified (400 rows, 400 points written)');
    expect(out).toContain(`s3://${ministack.output('WorkBucketName')}/migrations/${migrated}/proof.json`);
    expect(await stored()).toEqual(EXPECTED);
  });

  test('a point that was deleted at the target ends the verification as failed, by table and field', async () => {
    const stop = new Date(Date.now() - HOUR + 60_000).toISOString();
    const erase = { start: '1970-01-01T00:00:00Z', stop, predicate: '_measurement="rooms" AND device="d 1"' };
    const response = await fetch(`${influxd.url}/api/v2/delete?org=ons-energy&bucket=${BUCKET}`, {
      method: 'POST',
      headers: { authorization: `Token ${TOKEN}` },
      body: JSON.stringify(erase),
    });
    expect(response.status).toBe(204);
    const state = await ended(await start({ resume: migrated, verifyOnly: true }));
    expect(state).toMatchObject({ state: 'FAILED', error: 'MigrationIncomplete', result: { status: 'failed' } });
    expect(state.cause).toMatch(/rooms.*(count|load)/);
    expect(state.progress).toMatchObject({ windows: 2, differing: 1 });
    // The next run loads what differs.
    const again = await ended(await start({ resume: migrated }));
    expect([again.state, again.result?.status]).toEqual(['SUCCEEDED', 'proved']);
    expect(await stored()).toEqual(EXPECTED);
  });

  test('an invalid input is refused; a table that does not exist is the cause of the migration', async () => {
    const response = await ministack.request('POST', '/migrations', { verify: 'often' });
    expect(response.status).toBe(400);
    const state = await ended(await start({ tables: ['missing'] }));
    expect(state).toMatchObject({ state: 'FAILED', error: 'InvalidEventError' });
    expect(state.cause).toContain('missing');
  });

  test('the metrics of migrations are in the namespace of the loader', async () => {
    const cloudWatch = new CloudWatchClient(ministack.client);
    const { Metrics = [] } = await cloudWatch.send(new ListMetricsCommand({ Namespace: 'ONS/InfluxDB' }));
    expect(Metrics.map(({ MetricName }) => MetricName)).toEqual(
      expect.arrayContaining(['WindowsExported', 'WindowsDiffering', 'PointsVerified', 'MigrationsFailed']),
    );
  });
}
