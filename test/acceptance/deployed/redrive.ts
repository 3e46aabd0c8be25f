/** Failed asynchronous writes and loads, the dead-letter messages that Lambda and EventBridge create for them, and their redrive. */
import { InvokeCommand, LambdaClient, UpdateFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, DeleteBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { numberedLines } from '../../contract/connector/harness';
import { DATABASE, select } from '../../contract/timestream/harness';
import { BUCKET, Influxd, TOKEN } from '../../support/influxd';
import { fixtureBytes } from '../../support/loader';
import { type MiniStack, until } from '../../support/ministack';
import { COLUMNS, handedOver, LINES, POINT_TIME, REQUESTED, rowsOfLines } from '../../support/replayed-write';
import type { Deployed } from './deployed';
import { WRITER } from './function-calls';

const DATA = 'energy-messages';
const TOKEN_SECRET = 'influxdb/plain-token';
/** An error of Timestream that the connector does not retry. */
const DENIED = { kind: 'error', type: 'AccessDeniedException' } as const;

/** @param deployed the running emulator */
export function describeRedrive(deployed: () => Deployed, binary: string): void {
  let influxd: Influxd;
  let ministack: MiniStack;
  let lambda: LambdaClient;
  let sqs: SQSClient;
  let workflow: SFNClient;
  let queue: string | undefined;
  let parking: string | undefined;

  beforeAll(async () => {
    ({ ministack } = deployed());
    influxd = await Influxd.start(binary);
    lambda = new LambdaClient(ministack.client);
    sqs = new SQSClient(ministack.client);
    workflow = new SFNClient(ministack.client);
    const s3 = new S3Client(ministack.client);
    await s3.send(new CreateBucketCommand({ Bucket: DATA }));
    const body = fixtureBytes('codec-snappy');
    for (const Key of ['one/generation/a.parquet', 'two/generation/b.parquet'])
      await s3.send(new PutObjectCommand({ Bucket: DATA, Key, Body: body }));
    await new SecretsManagerClient(ministack.client).send(
      new CreateSecretCommand({ Name: TOKEN_SECRET, SecretString: TOKEN }),
    );
    await deployed().deploy({
      EnableAsyncInvocation: 'true',
      InfluxDBUrl: influxd.url,
      InfluxDBTokenSecretName: TOKEN_SECRET,
      DataBucketName: DATA,
      RedriveMessagesPerSecond: '20',
    });
    // The policy refuses plain HTTP, and MiniStack has nothing else.
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: ministack.output('WorkBucketName') }));
    const queues = ['LambdaDeadLetterQueueName', 'ParkingQueueName'];
    [queue, parking] = await Promise.all(queues.map((output) => deployed().openQueue(output)));
    // MiniStack's CloudFormation ignores the dead-letter queue.
    const attributes = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['QueueArn'] }));
    const DeadLetterConfig = { TargetArn: attributes.Attributes?.QueueArn };
    for (const FunctionName of [WRITER, ministack.output('LoadObjectFunctionArn')])
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, DeadLetterConfig }));
  });

  afterAll(() => influxd?.remove());

  async function invoke(FunctionName: string, event: object, InvocationType: 'Event' | 'RequestResponse') {
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({ FunctionName, InvocationType, Payload: JSON.stringify(event) }),
    );
    const text = Buffer.from(Payload ?? []).toString();
    expect([FunctionError, text]).toEqual([undefined, text]);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }

  const redrive = () => invoke(ministack.output('RedriveDeadLettersFunctionName'), {}, 'RequestResponse');

  const put = (message: object) =>
    sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: JSON.stringify(message) }));

  const waiting = (url: string | undefined): Promise<number> => deployed().waiting(url);

  const describeExecution = (executionArn: string | undefined) =>
    workflow.send(new DescribeExecutionCommand({ executionArn }));

  async function points(): Promise<number> {
    const [row] = await influxd.query(
      `from(bucket: "${BUCKET}") |> range(start: 1970-01-01T00:00:00Z)
        |> filter(fn: (r) => r._measurement == "generation_data" and r._field == "power_mw") |> group() |> count()`,
    );
    return Number(row?._value ?? 0);
  }

  const rows = async () =>
    (await select(deployed().timestream, `SELECT ${COLUMNS} FROM "${DATABASE}"."replayed"`)).map(String).sort();
  const EXPECTED = rowsOfLines({ 7: 70 });

  test('asynchronous writes of the sample client get 202, and all points are stored', async () => {
    const written = await deployed().writeSamples(numberedLines('accepted', 2_500), ministack.client.credentials);
    expect(written).toEqual({ stored: 0, accepted: 2_500, dropped: 0, unstored: 0, reports: [] });
    await until(
      () => deployed().count('accepted'),
      (count) => count === 2_500,
    );
  });

  test('an accepted write that fails becomes a dead-letter message, and its replay stores the points', async () => {
    deployed().fault = () => DENIED;
    const written = await deployed().writeSamples(numberedLines('later', 500), ministack.client.credentials);
    expect(written).toMatchObject({ accepted: 500, unstored: 0, reports: [] });
    await until(
      () => waiting(queue),
      (messages) => messages === 1,
    );
    expect(await deployed().count('later')).toBe(0);

    deployed().fault = undefined;
    expect(await redrive()).toMatchObject({ messages: 1, replayed: 1, kinds: { write: 1 } });
    expect(await deployed().count('later')).toBe(500);
    expect(await waiting(queue)).toBe(0);
  });

  test('a write of 1,000 points that failed half-way is stored once, and newer points stay, after any number of replays', async () => {
    await invoke(WRITER, handedOver(LINES.slice(0, 1), REQUESTED - 1), 'RequestResponse');
    let calls = 0;
    deployed().fault = () => (calls++ > 4 ? DENIED : undefined);
    await invoke(WRITER, handedOver(LINES, REQUESTED), 'Event');
    await until(
      () => waiting(queue),
      (messages) => messages === 1,
    );
    expect((await rows()).length).toBeLessThan(1_000);

    deployed().fault = undefined;
    await invoke(WRITER, handedOver([`replayed,host=h7 v=70i ${POINT_TIME}`], REQUESTED + 1), 'RequestResponse');
    expect(await redrive()).toMatchObject({ messages: 1, replayed: 1, kinds: { write: 1 } });
    expect(await rows()).toEqual(EXPECTED);
    expect(await waiting(queue)).toBe(0);

    await put(handedOver(LINES, REQUESTED));
    expect(await redrive()).toMatchObject({ replayed: 1 });
    expect(await rows()).toEqual(EXPECTED);
  });

  test('an object and a load that failed because InfluxDB was down are loaded', async () => {
    const stateMachineArn = ministack.output('BulkLoadStateMachineArn');
    const [one, two] = ['one/generation/a.parquet', 'two/generation/b.parquet'];
    await influxd.kill();
    const notification = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: DATA }, object: { key: one } } };
    await invoke(ministack.output('LoadObjectFunctionArn'), { Records: [notification] }, 'Event');
    const input = JSON.stringify({ bucket: DATA, key: two });
    const { executionArn } = await workflow.send(new StartExecutionCommand({ stateMachineArn, input }));
    const failed = await until(
      () => describeExecution(executionArn),
      ({ status }) => status !== 'RUNNING',
    );
    expect(failed.status).toBe('FAILED');
    // One message from Lambda, one from the rule of EventBridge.
    await until(
      () => waiting(queue),
      (messages) => messages === 2,
    );

    await influxd.restart();
    expect(await redrive()).toMatchObject({ messages: 2, replayed: 2, kinds: { object: 1, load: 1 } });
    const { executions = [] } = await workflow.send(new ListExecutionsCommand({ stateMachineArn }));
    const replay = executions.find(({ name = '' }) => name.startsWith('redrive-1-'));
    const loaded = await until(
      () => describeExecution(replay?.executionArn),
      ({ status }) => status !== 'RUNNING',
    );
    expect([loaded.status, loaded.cause]).toEqual(['SUCCEEDED', undefined]);
    // Both files have the same rows, so the points replace themselves.
    expect(await points()).toBe(300);
  });

  test('a load that failed because of one corrupt file is parked, and nothing is loaded again', async () => {
    const stateMachineArn = ministack.output('BulkLoadStateMachineArn');
    const s3 = new S3Client(ministack.client);
    const bodies = {
      'three/generation/good.parquet': fixtureBytes('codec-snappy'),
      'three/generation/bad.parquet': 'PAR1',
    };
    for (const [Key, Body] of Object.entries(bodies)) await s3.send(new PutObjectCommand({ Bucket: DATA, Key, Body }));
    const input = JSON.stringify({ bucket: DATA, prefix: 'three/' });
    const { executionArn } = await workflow.send(new StartExecutionCommand({ stateMachineArn, input }));
    const failed = await until(
      () => describeExecution(executionArn),
      ({ status }) => status !== 'RUNNING',
    );
    expect([failed.status, failed.error]).toEqual(['FAILED', 'LoadIncomplete']);
    await until(
      () => waiting(queue),
      (messages) => messages === 1,
    );
    const executions = async () => (await workflow.send(new ListExecutionsCommand({ stateMachineArn }))).executions;
    const before = await executions();
    expect(await redrive()).toMatchObject({ messages: 1, parked: 1, replayed: 0, putBack: 0 });
    expect(await executions()).toHaveLength(before?.length ?? 0);
    expect([await waiting(queue), await waiting(parking)]).toEqual([0, 1]);
  });

  test('a message of unknown shape is parked', async () => {
    await put({ what: 'is this?' });
    expect(await redrive()).toMatchObject({ messages: 1, parked: 1 });
    expect([await waiting(queue), await waiting(parking)]).toEqual([0, 2]);
  });
}
