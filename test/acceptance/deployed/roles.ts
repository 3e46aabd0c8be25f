/** Whether the roles of the deployed functions allow all calls that the previous tests caused. */
import { DeleteRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { detail } from '../report';
import type { Deployed } from './deployed';
import type { FunctionCall } from './function-calls';

/** Calls that MiniStack checks against a function's role. */
const NEEDED = [
  'AuthorizeTokenFunction secretsmanager GetSecretValue',
  'CheckInfluxDBFunction secretsmanager GetSecretValue',
  'DescribeLoadFunction states DescribeExecution',
  'DescribeLoadFunction states ListMapRuns',
  'DescribeMigrationFunction s3 GetObject',
  'DescribeMigrationFunction states DescribeExecution',
  'ExportFunction s3 GetObject',
  'ExportFunction s3 PutObject',
  'LoadBatchFunction monitoring PutMetricData',
  'LoadBatchFunction s3 GetObject',
  'LoadBatchFunction secretsmanager GetSecretValue',
  'LoadObjectFunction monitoring PutMetricData',
  'LoadObjectFunction s3 GetObject',
  'LoadObjectFunction s3 HeadObject',
  'LoadObjectFunction s3 PutObject',
  'LoadObjectFunction secretsmanager GetSecretValue',
  'PlanLoadFunction s3 ListObjectsV2',
  'RecordLoadFunction s3 GetObject',
  'RedriveDeadLettersFunction lambda Invoke',
  'RedriveDeadLettersFunction s3 GetObject',
  'RedriveDeadLettersFunction sqs DeleteMessage',
  'RedriveDeadLettersFunction sqs ReceiveMessage',
  'RedriveDeadLettersFunction sqs SendMessage',
  'RedriveDeadLettersFunction states StartExecution',
  'ReportFunction monitoring PutMetricData',
  'ReportFunction s3 PutObject',
  'StartLoadFunction states StartExecution',
  'StartMigrationFunction states StartExecution',
  'SummarizeLoadFunction s3 PutObject',
  'SurveyFunction s3 PutObject',
  'SurveyFunction secretsmanager GetSecretValue',
  'VerifyFunction s3 PutObject',
  'VerifyFunction secretsmanager GetSecretValue',
  'WriteLineProtocolFunction lambda Invoke',
  'WriteLineProtocolFunction s3 PutObject',
  'WriteLineProtocolFunction secretsmanager GetSecretValue',
  'WriteLineProtocolFunction sqs SendMessage',
];

const nameOf = ({ function: name, service, operation }: FunctionCall): string => `${name} ${service} ${operation}`;

/** @param deployed the running emulator */
export function describeRoles(deployed: () => Deployed): void {
  test('no call of a deployed function was denied in the tests above', () => {
    const calls = deployed().calls.take();
    const names = [...new Set(calls.map(nameOf))].sort();
    detail(
      'Calls of the deployed functions to AWS in these tests',
      ['function', 'service', 'operation', 'denied'],
      names.map((name) => [...name.split(' '), calls.some((call) => call.denied && nameOf(call) === name)]),
    );
    // MiniStack does not read the map run's ARN and checks the policy against `*`; the botocore tests check that call.
    const isKnown = (call: FunctionCall): boolean => nameOf(call) === 'DescribeLoadFunction states DescribeMapRun';
    expect(calls.filter((call) => call.denied && !isKnown(call))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(NEEDED));
  });

  test('a call without a permission is denied, and the test sees it', async () => {
    const { ministack, calls } = deployed();
    const RoleName = (await deployed().resources()).get('RedriveDeadLettersRole');
    await new IAMClient(ministack.client).send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'MoveMessages' }));
    const FunctionName = ministack.output('RedriveDeadLettersFunctionName');
    const { FunctionError } = await new LambdaClient(ministack.client).send(
      new InvokeCommand({ FunctionName, Payload: '{}' }),
    );
    expect(FunctionError).toBeDefined();
    expect(calls.take()).toContainEqual(
      expect.objectContaining({ function: 'RedriveDeadLettersFunction', operation: 'ReceiveMessage', denied: true }),
    );
  });
}
