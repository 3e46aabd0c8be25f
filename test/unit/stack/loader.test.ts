import { loadLoaderConfig, loadPlanningConfig, loadWorkflowConfig } from 'shared/loader-config';
import { expectOneName } from './one-name';
import {
  at,
  byType,
  type Fields,
  LOADER,
  listed,
  type Overrides,
  outputsWith,
  propertiesOf,
  resourcesWith,
  statementsWith,
  template,
} from './template';

const ANY_BUCKET = { ...LOADER, DataBucketName: '*' };
const FUNCTIONS = [
  'CheckInfluxDB',
  'DescribeLoad',
  'DetectDataset',
  'LoadBatch',
  'LoadObject',
  'PlanLoad',
  'StartLoad',
  'SummarizeLoad',
];

const properties = (name: string, parameters: Overrides = LOADER): Fields => propertiesOf(name, parameters);

const environment = (name: string, parameters: Overrides = LOADER): Fields =>
  at(properties(`${name}Function`, parameters), 'Environment', 'Variables') as Fields;

/** What a function may do, as `action resource` without the log's statement. */
const permissions = (name: string, parameters: Overrides = LOADER): string[] =>
  statementsWith(parameters, `${name}Role`)
    .flatMap((statement) =>
      listed(statement.Action).flatMap((action) => listed(statement.Resource).map((arn) => `${action} ${arn}`)),
    )
    .filter((permission) => !permission.startsWith('logs:'))
    .sort();

describe('without DataBucketName', () => {
  test('there is no resource of the loader, and none of the connector is missing', () => {
    const names = Object.keys(resourcesWith());
    const added = Object.keys(resourcesWith(LOADER)).filter((name) => !names.includes(name));
    expect(added.filter((name) => name.endsWith('Function')).sort()).toEqual(
      FUNCTIONS.map((name) => `${name}Function`),
    );
    expect(names.filter((name) => /Load|Influx|Work|NewObject|DetectDataset/.test(name))).toEqual([]);
    expect(Object.keys(resourcesWith(LOADER))).toEqual(expect.arrayContaining(names));
  });

  test('no output names what is not there', () => {
    const added = Object.keys(outputsWith(LOADER)).filter((name) => !(name in outputsWith()));
    expect(added.sort()).toEqual([
      'BulkLoadStateMachineArn',
      'LoadObjectFunctionArn',
      'LoadResourceArn',
      'LoaderRoleArns',
      'WorkBucketName',
    ]);
  });
});

describe.each(FUNCTIONS)('%s', (name) => {
  test('has one name everywhere', () => expectOneName(name, LOADER));
});

describe('environment', () => {
  const OPTIONS = { ...LOADER, MaxBatchSize: '5000', DatasetMappings: 's3://configuration/datasets.json' };
  const CONFIGS = {
    DetectDataset: loadPlanningConfig,
    CheckInfluxDB: loadLoaderConfig,
    PlanLoad: loadPlanningConfig,
    LoadBatch: loadLoaderConfig,
    SummarizeLoad: loadPlanningConfig,
    LoadObject: loadLoaderConfig,
    StartLoad: loadWorkflowConfig,
    DescribeLoad: loadWorkflowConfig,
  } as const;

  test.each(Object.entries(CONFIGS))('is what %s takes, with and without the optional parameters', (name, load) => {
    for (const parameters of [LOADER, OPTIONS]) {
      const variables = environment(name, parameters) as Record<string, string>;
      expect(load(variables)).toMatchObject({
        workBucket: '<WorkBucket>',
        datasetMappings: parameters === OPTIONS ? OPTIONS.DatasetMappings : undefined,
      });
    }
  });
});

describe('concurrency towards InfluxDB', () => {
  const reserved = (name: string, parameters: Overrides) =>
    properties(`${name}Function`, parameters).ReservedConcurrentExecutions;
  const QUEUE = { ObjectQueueArn: 'arn:aws:sqs:us-east-1:123456789012:objects' };
  const polled = (value: string) =>
    at(
      properties('LoadObjectQueueMapping', { ...LOADER, ...QUEUE, LoaderReservedConcurrency: value }),
      'ScalingConfig',
      'MaximumConcurrency',
    );

  test('is bounded without any parameter, whatever starts a load', () => {
    expect(reserved('LoadBatch', LOADER)).toBe('20');
    expect(reserved('LoadObject', LOADER)).toBe('20');
    expect(at(properties('LoadObjectQueueMapping', { ...LOADER, ...QUEUE }), 'ScalingConfig')).toEqual({
      MaximumConcurrency: '20',
    });
  });

  test('caps the items of one load, too', () => {
    for (const name of ['DetectDataset', 'LoadBatch']) {
      expect(environment(name, { ...LOADER, LoaderReservedConcurrency: '5' }).LOADER_RESERVED_CONCURRENCY).toBe('5');
    }
  });

  test('of a queue is never below what Lambda takes', () => {
    expect([polled('1'), polled('2'), polled('1000')]).toEqual([2, '2', '1000']);
  });

  test('is the account’s alone where the parameter is empty', () => {
    const parameters = { ...LOADER, ...QUEUE, LoaderReservedConcurrency: '' };
    for (const name of ['LoadBatch', 'LoadObject']) expect(reserved(name, parameters)).toBeUndefined();
    expect(properties('LoadObjectQueueMapping', parameters)).not.toHaveProperty('ScalingConfig');
    expect(environment('DetectDataset', parameters)).not.toHaveProperty('LOADER_RESERVED_CONCURRENCY');
  });
});

test('the functions that handle rows may have all the memory and time that Lambda gives', () => {
  const parameters = { ...LOADER, LoaderMemorySize: '10240', LoaderTimeoutInSeconds: '600' };
  for (const name of ['LoadBatch', 'LoadObject', 'PlanLoad', 'SummarizeLoad']) {
    expect(properties(`${name}Function`, parameters)).toMatchObject({ MemorySize: '10240', Timeout: '600' });
  }
  expect(template.Parameters.LoaderMemorySize?.MaxValue).toBe(10240);
  expect(template.Parameters.LoaderTimeoutInSeconds?.MaxValue).toBe(900);
});

test('what the API calls ends before the API gives up', () => {
  const { Default } = template.Parameters.RestApiGatewayTimeoutInMillis ?? {};
  for (const name of ['StartLoad', 'DescribeLoad', 'CheckInfluxDB']) {
    expect(Number(properties(`${name}Function`).Timeout) * 1000).toBeLessThanOrEqual(Number(Default));
  }
});

describe('permissions', () => {
  const TOKEN = expect.stringMatching(/^secretsmanager:GetSecretValue arn:.*:secret:influxdb\/token-\?{6}$/);
  const FILES = [expect.stringMatching(/^s3:GetObject arn:.*:s3:::energy\/\*$/)];
  const COUNT_ITEMS = [
    expect.stringMatching(/^states:ListMapRuns arn:.*:execution:<BulkLoadStateMachine.Name>:\*$/),
    expect.stringMatching(/^states:DescribeMapRun arn:.*:mapRun:<BulkLoadStateMachine.Name>\/\*$/),
  ];
  const LIST_FILES = expect.stringMatching(/^s3:ListBucket arn:.*:s3:::energy$/);
  const READ_WORK = ['s3:GetObject <WorkBucket.Arn>/*', 's3:ListBucket <WorkBucket.Arn>'];
  const READ_MAPPINGS = 's3:GetObject <WorkBucket.Arn>/loads/*/mappings/*';
  const WRITE_WORK = 's3:PutObject <WorkBucket.Arn>/*';
  const DESCRIBE = expect.stringMatching(/^states:DescribeExecution arn:.*:execution:<BulkLoadStateMachine.Name>:\*$/);
  const METRICS = 'cloudwatch:PutMetricData *';
  const DEAD_LETTERS = 'sqs:SendMessage <LambdaDeadLetterQueue.Arn>';

  test.each([
    ['DetectDataset', ['s3:PutObject <WorkBucket.Arn>/loads/*/keys.jsonl']],
    ['CheckInfluxDB', [TOKEN]],
    ['PlanLoad', [...READ_WORK, WRITE_WORK, ...FILES, LIST_FILES]],
    ['LoadBatch', [...FILES, READ_MAPPINGS, WRITE_WORK, TOKEN, METRICS]],
    ['SummarizeLoad', [...READ_WORK, WRITE_WORK]],
    ['LoadObject', [...FILES, LIST_FILES, WRITE_WORK, TOKEN, METRICS, DEAD_LETTERS]],
    ['StartLoad', ['states:StartExecution <BulkLoadStateMachine>', DESCRIBE]],
    ['DescribeLoad', [...READ_WORK, DESCRIBE, ...COUNT_ITEMS]],
  ])('%s has these alone: %p', (name, expected) => {
    const actual = permissions(name, LOADER);
    expect(actual).toEqual(expect.arrayContaining(expected));
    expect(actual).toHaveLength(expected.length);
  });

  test('only PlanLoad and LoadBatch read the bucket of exports', () => {
    const of = (name: string): string[] =>
      permissions(name, { ...LOADER, ExportBucketName: 'unloads' }).filter((each) => each.includes(':::unloads'));
    expect(of('PlanLoad').sort()).toEqual([
      's3:GetObject arn:<AWS::Partition>:s3:::unloads/*',
      's3:ListBucket arn:<AWS::Partition>:s3:::unloads',
    ]);
    expect(of('LoadBatch')).toEqual(['s3:GetObject arn:<AWS::Partition>:s3:::unloads/*']);
    const others = FUNCTIONS.filter((name) => name !== 'PlanLoad' && name !== 'LoadBatch');
    expect(others.flatMap(of)).toEqual([]);
  });

  test.each(FUNCTIONS)('%s logs to its own group', (name) => {
    const log = statementsWith(LOADER, `${name}Role`).filter(({ Action }) => listed(Action)[0]?.startsWith('logs:'));
    expect(log.map(({ Resource }) => Resource)).toEqual([`<${name}LogGroup.Arn>`]);
  });

  test.each([
    [LOADER, ['s3:ListBucket energy', 's3:GetObject energy/*']],
    [ANY_BUCKET, ['s3:ListBucket *', 's3:GetObject */*']],
  ])('files are read in the buckets of %p, and of this account alone', (parameters, expected) => {
    const statements = statementsWith(parameters, 'PlanLoadRole').filter(({ Resource }) =>
      String(Resource).includes(':s3:::'),
    );
    const read = statements.map(({ Action, Resource }) => `${Action} ${String(Resource).replace(/.*:::/, '')}`);
    expect(read).toEqual(expected);
    for (const { Condition } of statements) {
      expect(Condition).toEqual({ StringEquals: { 'aws:ResourceAccount': '<AWS::AccountId>' } });
    }
  });

  test('the object of dataset mappings may be read by those that need it', () => {
    const parameters = { ...LOADER, DatasetMappings: 's3://configuration/a/datasets.json' };
    const readers = FUNCTIONS.filter((name) =>
      permissions(name, parameters).some((it) => /^s3:GetObject arn:.*:s3:::configuration\/a\/datasets.json$/.test(it)),
    );
    expect(readers).toEqual(FUNCTIONS.filter((name) => name !== 'DescribeLoad' && name !== 'CheckInfluxDB'));
  });

  test('metrics go to one namespace, and nowhere with EnableMetrics false', () => {
    const parameters = { ...LOADER, MetricsNamespace: 'Mine' };
    const of = (given: Overrides) =>
      statementsWith(given, 'LoadBatchRole').filter(({ Action }) => Action === 'cloudwatch:PutMetricData');
    expect(of(parameters).map(({ Condition }) => Condition)).toEqual([
      { StringEquals: { 'cloudwatch:namespace': 'Mine' } },
    ]);
    expect(of({ ...parameters, EnableMetrics: 'false' })).toEqual([]);
  });

  test('LoadObject may be named by the notifications of a bucket, and receives from the queue given', () => {
    const queue = 'arn:aws:sqs:us-east-1:123456789012:objects';
    const parameters = { ...LOADER, ObjectQueueArn: queue };
    expect(properties('LoadObjectPermission', LOADER)).toMatchObject({
      Principal: 's3.amazonaws.com',
      SourceAccount: '<AWS::AccountId>',
      SourceArn: expect.stringMatching(/:s3:::energy$/),
    });
    expect(properties('LoadObjectQueueMapping', parameters)).toMatchObject({
      EventSourceArn: queue,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    expect(permissions('LoadObject', parameters)).toContain(`sqs:ReceiveMessage ${queue}`);
    expect(resourcesWith(LOADER)).not.toHaveProperty('LoadObjectQueueMapping');
  });
});

describe('the state machine', () => {
  test('logs failures to its own group', () => {
    expect(properties('BulkLoadStateMachine')).toMatchObject({
      Type: 'STANDARD',
      Logging: {
        Level: 'ERROR',
        Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: '<BulkLoadLogGroup.Arn>' } }],
      },
    });
    expect(properties('BulkLoadLogGroup').LogGroupName).toMatch(/^\/aws\/vendedlogs\/states\//);
  });

  test('may invoke its steps, and read and write below loads/', () => {
    const steps = ['CheckInfluxDB', 'DetectDataset', 'LoadBatch', 'PlanLoad', 'SummarizeLoad'];
    const own = permissions('BulkLoad');
    expect(own).toEqual(expect.arrayContaining(steps.map((name) => `lambda:InvokeFunction <${name}Function.Arn>`)));
    expect(own.filter((permission) => permission.startsWith('s3:'))).toEqual([
      's3:AbortMultipartUpload <WorkBucket.Arn>/loads/*',
      's3:GetObject <WorkBucket.Arn>/loads/*',
      's3:ListMultipartUploadParts <WorkBucket.Arn>/loads/*',
      's3:PutObject <WorkBucket.Arn>/loads/*',
    ]);
  });

  test('runs its batches by a policy beside its role, which would depend on itself', () => {
    expect(JSON.stringify(properties('BulkLoadRole'))).not.toContain('<BulkLoadStateMachine');
    expect(permissions('BulkLoad').filter((permission) => permission.startsWith('states:'))).toEqual([
      expect.stringMatching(/^states:DescribeExecution .*:execution:<BulkLoadStateMachine.Name>\/LoadBatches:\*$/),
      expect.stringMatching(/^states:DescribeExecution .*:execution:<BulkLoadStateMachine.Name>:\*$/),
      'states:StartExecution <BulkLoadStateMachine>',
      expect.stringMatching(/^states:StopExecution .*:execution:<BulkLoadStateMachine.Name>\/LoadBatches:\*$/),
      expect.stringMatching(/^states:StopExecution .*:execution:<BulkLoadStateMachine.Name>:\*$/),
    ]);
  });
});

describe('rules of EventBridge', () => {
  test('put loads that failed, timed out or were aborted into the dead-letter queue', () => {
    expect(properties('FailedLoadRule')).toMatchObject({
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: ['<BulkLoadStateMachine>'],
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          name: [{ 'anything-but': { prefix: 'migration-' } }],
        },
      },
      Targets: [{ Arn: '<LambdaDeadLetterQueue.Arn>' }],
    });
  });

  test('start a load for each new Parquet object of the data bucket, or else keep the event as a dead letter', () => {
    expect(resourcesWith(ANY_BUCKET)).not.toHaveProperty('NewObjectRule');
    expect(properties('NewObjectRule', LOADER)).toMatchObject({
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: ['energy'] } },
      },
      Targets: [
        {
          Arn: '<BulkLoadStateMachine>',
          RoleArn: '<NewObjectRole.Arn>',
          DeadLetterConfig: { Arn: '<LambdaDeadLetterQueue.Arn>' },
        },
      ],
    });
    expect(permissions('NewObject', LOADER)).toEqual(['states:StartExecution <BulkLoadStateMachine>']);
  });
});

describe.each(byType(resourcesWith(LOADER), 'AWS::S3::Bucket'))('bucket %s', (name, { Properties, DeletionPolicy }) => {
  test('is encrypted, private, expires the objects of loads alone, and outlives the stack', () => {
    expect(Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    const [expiry, uploads, ...others] = at(Properties, 'LifecycleConfiguration', 'Rules') as Fields[];
    expect(others).toEqual([]);
    // Ledgers and exports of migrations do not expire.
    expect(expiry).toMatchObject({ Status: 'Enabled', Prefix: 'loads/' });
    // A dead-letter message is kept for 14 days, and its replay may need what is here.
    expect(expiry?.ExpirationInDays).toBeGreaterThan(14);
    expect(uploads).toEqual({
      Id: 'AbortUploads',
      Status: 'Enabled',
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
    });
    expect(DeletionPolicy).toBe('Retain');
  });

  test('is reached by TLS 1.2 or newer only', () => {
    const policies = byType(resourcesWith(LOADER), 'AWS::S3::BucketPolicy').map(([, policy]) => policy.Properties);
    const policy = policies.find(({ Bucket }) => Bucket === `<${name}>`);
    const denied = at(policy?.PolicyDocument, 'Statement') as Fields[];
    expect(
      denied.map(({ Effect, Principal, Action, Condition }) => ({ Effect, Principal, Action, Condition })),
    ).toEqual([
      { Effect: 'Deny', Principal: '*', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      { Effect: 'Deny', Principal: '*', Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } },
    ]);
  });
});
