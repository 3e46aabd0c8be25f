/** The metrics that a write emits, its log entries, and the alarms and the dashboard that use the metrics. */
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetDashboardCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  type ListMetricsCommandInput,
} from '@aws-sdk/client-cloudwatch';
import { CONNECTOR_METRICS, TABLE_METRICS } from 'shared/connector-metrics';
import type { Fault } from '../../../local/timestream/server';
import { dashboardProblems } from '../../support/dashboard-body';
import { extractMetrics } from '../../support/embedded-metric-format';
import { type MiniStack, until } from '../../support/ministack';
import type { Deployed } from './deployed';
import { WRITER } from './function-calls';

const TOPIC = 'arn:aws:sns:us-east-1:000000000000:operators';
const NAMESPACE = 'Observed';
const TABLE = 'observed';
const DIMENSIONS = { service: WRITER, destination: 'timestream' };
const DENIED: Fault = { kind: 'error', type: 'AccessDeniedException' };
const LINES = `${TABLE},host=a v=1\n${TABLE},host=b v=1\nnot line protocol`;

/** @param deployed the running emulator */
export function describeObservability(deployed: () => Deployed): void {
  let ministack: MiniStack;
  let cloudWatch: CloudWatchClient;
  let response: Response;

  beforeAll(async () => {
    ({ ministack } = deployed());
    cloudWatch = new CloudWatchClient(ministack.client);
    await deployed().deploy({
      AlarmTopicArn: TOPIC,
      CreateDashboard: 'true',
      MetricsNamespace: NAMESPACE,
      MetricsPerTable: 'true',
      LogLevel: 'INFO',
    });
    response = await ministack.request('POST', '/api/v2/write?org=o&bucket=b', LINES);
  });
  afterAll(() => cloudWatch.destroy());

  const filters = (dimensions: Readonly<Record<string, string>>): ListMetricsCommandInput['Dimensions'] =>
    Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));

  /** The names of the metrics with exactly these dimensions. */
  async function names(dimensions: Readonly<Record<string, string>>): Promise<string[]> {
    const command = new ListMetricsCommand({ Namespace: NAMESPACE, Dimensions: filters(dimensions) });
    const { Metrics = [] } = await cloudWatch.send(command);
    const exact = Metrics.filter((metric) => metric.Dimensions?.length === Object.keys(dimensions).length);
    return exact.map(({ MetricName = '' }) => MetricName).sort();
  }

  async function sum(MetricName: string, dimensions: Readonly<Record<string, string>>): Promise<number> {
    const { Datapoints = [] } = await cloudWatch.send(
      new GetMetricStatisticsCommand({
        Namespace: NAMESPACE,
        MetricName,
        Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
        StartTime: new Date(Date.now() - 3_600_000),
        EndTime: new Date(Date.now() + 60_000),
        Period: 86_400,
        Statistics: ['Sum'],
      }),
    );
    return Datapoints.reduce((total, { Sum = 0 }) => total + Sum, 0);
  }

  test('the metrics of a write arrive in CloudWatch, and those of its table', async () => {
    expect(response.status).toBe(400);
    await until(
      () => sum('PointsStored', DIMENSIONS),
      (points) => points === 2,
    );
    expect(await names(DIMENSIONS)).toEqual(
      Object.values(CONNECTOR_METRICS)
        .map(({ name }) => name)
        .sort(),
    );
    expect(await sum('FaultyLines', DIMENSIONS)).toBe(1);
    expect(await sum('RequestBytes', DIMENSIONS)).toBe(LINES.length);
    const ofTable = { ...DIMENSIONS, table: TABLE };
    expect(await names(ofTable)).toEqual(TABLE_METRICS.map((metric) => CONNECTOR_METRICS[metric].name).sort());
    expect(await sum('PointsStored', ofTable)).toBe(2);
  });

  test('its lines in the log follow the embedded metric format, and a /ping writes none', async () => {
    const lines = async () => {
      const messages = await ministack.logMessages(`/aws/lambda/${WRITER}`);
      return messages.filter((message) => message.startsWith('{"_aws"')).map(extractMetrics);
    };
    const before = await lines();
    expect(before.flat()).toContainEqual({
      namespace: NAMESPACE,
      name: 'PointsStored',
      unit: 'Count',
      dimensions: DIMENSIONS,
      value: 2,
    });
    expect((await ministack.request('GET', '/ping')).status).toBe(204);
    expect(await lines()).toEqual(before);
  });

  test('the header X-Request-Id leads to the log entries of the request', async () => {
    const id = response.headers.get('x-request-id') ?? '';
    const messages = await ministack.logMessages(`/aws/lambda/${WRITER}`);
    const entries = messages.filter((message) => message.includes(`"requestId":"${id}"`));
    expect(entries.map((entry) => JSON.parse(entry))).toMatchObject([{ message: 'write', stored: 2, faultyLines: 1 }]);
  });

  test('the alarms notify the topic, and are on the dashboard', async () => {
    const { MetricAlarms = [] } = await cloudWatch.send(new DescribeAlarmsCommand({ MaxRecords: 100 }));
    expect(MetricAlarms.map(({ AlarmActions }) => AlarmActions)).toEqual(MetricAlarms.map(() => [TOPIC]));
    const DashboardName = (await deployed().resources()).get('Dashboard');
    const { DashboardBody = '' } = await cloudWatch.send(new GetDashboardCommand({ DashboardName }));
    expect(dashboardProblems(DashboardBody)).toEqual([]);
    const arns = MetricAlarms.map(({ AlarmArn = '' }) => AlarmArn);
    expect(arns).toHaveLength(12);
    expect(arns.filter((arn) => !DashboardBody.includes(`"${arn}"`))).toEqual([]);
  });

  test('points that Timestream refuses are counted as unstored', async () => {
    deployed().fault = () => DENIED;
    const statuses: number[] = [];
    await until(
      async () => {
        const refused = await ministack.request('POST', '/api/v2/write?org=o&bucket=b', `${TABLE},host=c v=1`);
        statuses.push(refused.status);
        return await sum('PointsUnstored', DIMENSIONS);
      },
      (points) => points > 0,
    );
    deployed().fault = undefined;
    expect(new Set(statuses)).toEqual(new Set([503]));
  });
}
