import {
  at,
  byType,
  type Fields,
  LOADER,
  listed,
  type Overrides,
  resourcesWith,
  statementsWith,
  template,
} from './template';

const WITH_BUCKET = { ...LOADER, DataBucketName: 'energy' };
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
/** Those that talk to InfluxDB. */
const WRITERS = ['CheckInfluxDB', 'LoadBatch', 'LoadObject'];

const properties = (name: string, parameters: Overrides = LOADER): Fields => {
  const resource = resourcesWith(parameters)[name];
  if (!resource) throw new Error(`there is no ${name}`);
  return resource.Properties;
};

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

describe('without InfluxDBUrl', () => {
  test('there is no resource of the loader, and none of the connector is missing', () => {
    const names = Object.keys(resourcesWith());
    const added = Object.keys(resourcesWith(LOADER)).filter((name) => !names.includes(name));
    expect(added.filter((name) => name.endsWith('Function')).sort()).toEqual(
      FUNCTIONS.map((name) => `${name}Function`),
    );
    expect(names.filter((name) => /Load|Influx|Work|NewObject|DetectDataset/.test(name))).toEqual([]);
    expect(Object.keys(resourcesWith(LOADER))).toEqual(expect.arrayContaining(names));
  });

  test('no parameter of the loader changes a thing', () => {
    const rest = { DataBucketName: 'energy', ObjectQueueArn: 'arn:aws:sqs:us-east-1:123456789012:objects' };
    expect(resourcesWith(rest)).toEqual(resourcesWith());
  });

  test('no output names what is not there', () => {
    const outputs = Object.entries(template.Outputs).filter(([, { Condition }]) => Condition === 'LoaderEnabled');
    expect(outputs.map(([name]) => name).sort()).toEqual([
      'BulkLoadStateMachineArn',
      'LoadObjectFunctionArn',
      'LoadResourceArn',
      'WorkBucketName',
    ]);
  });
});

describe.each(FUNCTIONS)('%s', (name) => {
  const folder = name
    .replace('InfluxDB', 'Influxdb')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '-')
    .toLowerCase();

  test('has one name everywhere', () => {
    expect(properties(`${name}Function`)).toMatchObject({
      CodeUri: `functions/${folder}`,
      Role: `<${name}Role.Arn>`,
      LoggingConfig: { LogGroup: `<${name}LogGroup>` },
    });
    expect(properties(`${name}LogGroup`).LogGroupName).toBe(`/aws/lambda/<AWS::StackName>/${folder}`);
  });

  test('has no empty variable', () => {
    expect(Object.values(environment(name))).not.toContain('');
  });

  test('joins the VPC only where it talks to InfluxDB', () => {
    const parameters = { ...LOADER, VpcSubnetIds: 'subnet-0a,subnet-0b', VpcSecurityGroupIds: 'sg-0a' };
    const managed = properties(`${name}Role`, parameters).ManagedPolicyArns;
    expect(properties(`${name}Function`)).not.toHaveProperty('VpcConfig');
    expect(properties(`${name}Role`).ManagedPolicyArns ?? []).toEqual([]);
    if (WRITERS.includes(name)) {
      expect(properties(`${name}Function`, parameters).VpcConfig).toEqual({
        SubnetIds: ['subnet-0a', 'subnet-0b'],
        SecurityGroupIds: ['sg-0a'],
      });
      expect(managed).toEqual([expect.stringMatching(/:policy\/service-role\/AWSLambdaENIManagementAccess$/)]);
    } else {
      expect(properties(`${name}Function`, parameters)).not.toHaveProperty('VpcConfig');
      expect(managed).toBeUndefined();
    }
  });
});

describe('environment', () => {
  const PLANNING = ['LOG_LEVEL', 'VALIDATE_SCHEMA', 'WORK_BUCKET'];
  const WRITING = [
    'DROP_INVALID_RECORDS',
    'ENABLE_METRICS',
    'INFLUXDB_BUCKET',
    'INFLUXDB_ENGINE',
    'INFLUXDB_ORG',
    'INFLUXDB_TOKEN_SECRET_NAME',
    'INFLUXDB_URL',
    ...['LOG_LEVEL', 'MAX_RETRIES', 'METRICS_NAMESPACE', 'SKIP_FAILED_BATCHES', 'VALIDATE_SCHEMA', 'WORK_BUCKET'],
  ];

  test.each([
    ['DetectDataset', PLANNING],
    ['CheckInfluxDB', WRITING],
    ['PlanLoad', PLANNING],
    ['LoadBatch', WRITING],
    ['SummarizeLoad', PLANNING],
    ['LoadObject', WRITING],
    ['StartLoad', [...PLANNING, 'STATE_MACHINE_ARN']],
    ['DescribeLoad', [...PLANNING, 'STATE_MACHINE_ARN']],
  ])('%s has what it needs: %p', (name, variables) => {
    expect(Object.keys(environment(name)).sort()).toEqual([...variables].sort());
  });

  test('optional variables come with their parameters', () => {
    const parameters = {
      ...LOADER,
      MaxBatchSize: '5000',
      DatasetMappings: 's3://configuration/datasets.json',
      LoaderReservedConcurrency: '20',
    };
    expect(environment('LoadBatch', parameters)).toMatchObject({
      MAX_BATCH_SIZE: '5000',
      DATASET_MAPPINGS: 's3://configuration/datasets.json',
      LOADER_RESERVED_CONCURRENCY: '20',
    });
    expect(properties('LoadBatchFunction', parameters).ReservedConcurrentExecutions).toBe('20');
    expect(properties('LoadBatchFunction')).not.toHaveProperty('ReservedConcurrentExecutions');
  });
});

test('the functions that handle rows have the memory and time of the parameters', () => {
  const parameters = { ...LOADER, LoaderMemorySize: '3008', LoaderTimeoutInSeconds: '600' };
  const sized = FUNCTIONS.filter((name) => properties(`${name}Function`, parameters).MemorySize === '3008');
  expect(sized).toEqual(['LoadBatch', 'LoadObject', 'PlanLoad', 'SummarizeLoad']);
  for (const name of sized) expect(properties(`${name}Function`, parameters).Timeout).toBe('600');
  expect(template.Parameters.LoaderMemorySize).toMatchObject({ MinValue: 512, MaxValue: 3008 });
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
  const WRITE_WORK = 's3:PutObject <WorkBucket.Arn>/*';
  const DESCRIBE = expect.stringMatching(/^states:DescribeExecution arn:.*:execution:<BulkLoadStateMachine.Name>:\*$/);
  const METRICS = 'cloudwatch:PutMetricData *';
  const DEAD_LETTERS = 'sqs:SendMessage <LambdaDeadLetterQueue.Arn>';

  test.each([
    ['DetectDataset', ['s3:PutObject <WorkBucket.Arn>/loads/*/keys.jsonl']],
    ['CheckInfluxDB', [TOKEN]],
    ['PlanLoad', [...READ_WORK, WRITE_WORK, ...FILES, LIST_FILES]],
    ['LoadBatch', [...FILES, WRITE_WORK, TOKEN, METRICS]],
    ['SummarizeLoad', [...READ_WORK, WRITE_WORK]],
    ['LoadObject', [...FILES, LIST_FILES, WRITE_WORK, TOKEN, METRICS, DEAD_LETTERS]],
    ['StartLoad', ['states:StartExecution <BulkLoadStateMachine>', DESCRIBE]],
    ['DescribeLoad', [...READ_WORK, DESCRIBE, ...COUNT_ITEMS]],
  ])('%s has these alone: %p', (name, expected) => {
    const actual = permissions(name, WITH_BUCKET);
    expect(actual).toEqual(expect.arrayContaining(expected));
    expect(actual).toHaveLength(expected.length);
  });

  test.each(FUNCTIONS)('%s logs to its own group', (name) => {
    const log = statementsWith(LOADER, `${name}Role`).filter(({ Action }) => listed(Action)[0]?.startsWith('logs:'));
    expect(log.map(({ Resource }) => Resource)).toEqual([`<${name}LogGroup.Arn>`]);
  });

  test('without DataBucketName files may be in every bucket of this account, and of no other', () => {
    const statements = statementsWith(LOADER, 'PlanLoadRole').filter(({ Resource }) =>
      /:s3:::\*/.test(String(Resource)),
    );
    expect(statements).toHaveLength(2);
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
    const parameters = { ...WITH_BUCKET, ObjectQueueArn: queue };
    expect(properties('LoadObjectPermission', WITH_BUCKET)).toMatchObject({
      Principal: 's3.amazonaws.com',
      SourceAccount: '<AWS::AccountId>',
      SourceArn: expect.stringMatching(/:s3:::energy$/),
    });
    expect(properties('LoadObjectQueueMapping', parameters)).toMatchObject({
      EventSourceArn: queue,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    expect(permissions('LoadObject', parameters)).toContain(`sqs:ReceiveMessage ${queue}`);
    expect(resourcesWith(WITH_BUCKET)).not.toHaveProperty('LoadObjectQueueMapping');
  });
});

describe('the state machine', () => {
  test('logs failures to its own group and is traced', () => {
    expect(properties('BulkLoadStateMachine')).toMatchObject({
      Type: 'STANDARD',
      Tracing: { Enabled: true },
      Logging: {
        Level: 'ERROR',
        Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: '<BulkLoadLogGroup.Arn>' } }],
      },
    });
    expect(properties('BulkLoadLogGroup').LogGroupName).toMatch(/^\/aws\/vendedlogs\/states\//);
  });

  test('may invoke its steps, and read and write below loads/', () => {
    const steps = ['CheckInfluxDB', 'DetectDataset', 'LoadBatch', 'PlanLoad', 'SummarizeLoad'];
    const own = permissions('BulkLoad').filter((permission) => !permission.startsWith('xray:'));
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
  test('put loads that failed, timed out or were aborted into the dead letter queue', () => {
    expect(properties('FailedLoadRule')).toMatchObject({
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: ['<BulkLoadStateMachine>'], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      Targets: [{ Arn: '<LambdaDeadLetterQueue.Arn>' }],
    });
  });

  test('start a load for each new Parquet object of the data bucket, or else keep the event as a dead letter', () => {
    expect(resourcesWith(LOADER)).not.toHaveProperty('NewObjectRule');
    expect(properties('NewObjectRule', WITH_BUCKET)).toMatchObject({
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
    expect(permissions('NewObject', WITH_BUCKET)).toEqual(['states:StartExecution <BulkLoadStateMachine>']);
  });
});

describe.each(byType(resourcesWith(LOADER), 'AWS::S3::Bucket'))('bucket %s', (name, { Properties, DeletionPolicy }) => {
  test('is encrypted, private and forgets, and outlives the stack as it may hold objects', () => {
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
    const [rule] = at(Properties, 'LifecycleConfiguration', 'Rules') as Fields[];
    expect(rule).toMatchObject({ Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } });
    // A dead letter is kept for 14 days, and its replay may need what is here.
    expect(rule?.ExpirationInDays).toBeGreaterThan(14);
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
