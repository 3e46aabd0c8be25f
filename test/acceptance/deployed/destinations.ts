/** The write endpoint in front of a real InfluxDB, alone and beside Timestream. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { numberedLines } from '../../contract/connector/harness';
import { BUCKET, Influxd, TOKEN } from '../../support/influxd';
import { until } from '../../support/ministack';
import type { Deployed } from './deployed';

const TOKEN_SECRET = 'influxdb/endpoint-token';

/** @param deployed the running emulator */
export function describeDestinations(deployed: () => Deployed, binary: string): void {
  let influxd: Influxd;

  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    const secrets = new SecretsManagerClient(deployed().ministack.client);
    await secrets.send(new CreateSecretCommand({ Name: TOKEN_SECRET, SecretString: TOKEN }));
  });
  afterAll(() => influxd?.remove());

  const deploy = (parameters: Readonly<Record<string, string>>) =>
    deployed().deploy({ InfluxDBUrl: influxd.url, InfluxDBTokenSecretName: TOKEN_SECRET, ...parameters });

  /** Writes lines with the sample client, signed. */
  const write = (measurement: string, lines: number) =>
    deployed().writeSamples(numberedLines(measurement, lines), deployed().ministack.client.credentials);

  const stored = (lines: number) => ({ stored: lines, accepted: 0, dropped: 0, unstored: 0, reports: [] });

  /** The number of points of a measurement in InfluxDB. */
  async function count(measurement: string): Promise<number> {
    const [row] = await influxd.query(
      `from(bucket: "${BUCKET}") |> range(start: 1970-01-01T00:00:00Z)
        |> filter(fn: (r) => r._measurement == "${measurement}" and r._field == "n") |> group() |> count()`,
    );
    return Number(row?._value ?? 0);
  }

  test('with influxdb the points are in InfluxDB, and nothing is sent to Timestream', async () => {
    await deploy({ Destination: 'influxdb' });
    let calls = 0;
    deployed().fault = () => {
      calls++;
      return undefined;
    };
    expect(await write('front', 1_200)).toEqual(stored(1_200));
    deployed().fault = undefined;
    expect([await count('front'), calls]).toEqual([1_200, 0]);
    expect((await deployed().ministack.request('GET', '/health')).status).toBe(200);
  });

  test('with both the points are in both', async () => {
    await deploy({ Destination: 'both' });
    expect(await write('pair', 1_200)).toEqual(stored(1_200));
    expect([await count('pair'), await deployed().count('pair')]).toEqual([1_200, 1_200]);
  });

  test('with SecondaryRequired false, points that InfluxDB could not store are replayed to it', async () => {
    await deploy({ Destination: 'both', SecondaryRequired: 'false' });
    const queue = await deployed().openQueue('LambdaDeadLetterQueueName');
    await influxd.kill();
    expect(await write('kept', 500)).toEqual(stored(500));
    expect(await deployed().count('kept')).toBe(500);
    expect(await deployed().waiting(queue)).toBeGreaterThan(0);

    await influxd.restart();
    // For a moment the function does not call an InfluxDB that was away, and a replay in that time would be put back.
    await until(
      async () => {
        await write('back', 1);
        return await count('back');
      },
      (points) => points > 0,
    );
    const FunctionName = deployed().ministack.output('RedriveDeadLettersFunctionName');
    const redrive = new InvokeCommand({ FunctionName, Payload: '{}' });
    const { FunctionError } = await new LambdaClient(deployed().ministack.client).send(redrive);
    expect(FunctionError).toBeUndefined();
    expect([await deployed().waiting(queue), await count('kept')]).toEqual([0, 500]);
  });
}
