import { loadRedriveConfig } from 'shared/redrive-config';
import {
  at,
  brokenRules,
  byType,
  type Fields,
  LOADER,
  listed,
  type Overrides,
  outputsWith,
  type Resource,
  resourcesWith,
  statementsWith,
  TOKENS,
  template,
  type Value,
} from './template';

/** A value for each optional parameter, and the features that are off by default. */
const EVERYTHING = {
  DefaultDimension: 'source=unknown',
  CustomPartitionKeyType: 'dimension',
  CustomPartitionKeyDimension: 'host',
  EnforceCustomPartitionKey: 'true',
  KmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd',
  ResourceTags: 'team=data',
  EnableAsyncInvocation: 'true',
  RejectedLinesBucket: 'rejected-lines',
  TimestreamWriteEndpoint: 'https://ingest.example.com',
  PublicHealth: 'true',
  CorsAllowedOrigins: 'https://app.example.com',
  AllowedCidrs: '10.0.0.0/8',
};
const STACK_KEY = { StackKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/5678efab' };
const VPC = { VpcSubnetIds: 'subnet-0a,subnet-0b', VpcSecurityGroupIds: 'sg-0a' };

/** The loader with a value for each of its optional parameters. */
const LOADER_OPTIONS = {
  ...LOADER,
  MaxBatchSize: '5000',
  DatasetMappings: 's3://configuration/datasets.json',
  ...VPC,
  ObjectQueueArn: 'arn:aws:sqs:us-east-1:123456789012:objects',
};

const functionsWith = (parameters = {}): [string, Resource][] =>
  byType(resourcesWith(parameters), 'AWS::Serverless::Function');

const environmentWith = (parameters = {}): Record<string, Value> =>
  at(resourcesWith(parameters).WriteLineProtocolFunction?.Properties, 'Environment', 'Variables') as Fields;

/** The role whose permissions depend on parameters of the connector. */
const WRITER = 'WriteLineProtocolRole';

const actionsWith = (parameters = {}, role = WRITER): string[] =>
  statementsWith(parameters, role).flatMap((statement) => listed(statement.Action));

const resourcesOf = (action: string, parameters = {}, role = WRITER): string[] =>
  statementsWith(parameters, role)
    .filter((statement) => listed(statement.Action).includes(action))
    .flatMap((statement) => listed(statement.Resource));

describe.each(functionsWith({ ...LOADER, ...TOKENS }))('%s', (_name, { Properties }) => {
  const resources = resourcesWith({ ...LOADER, ...TOKENS });
  const folder = String(Properties.CodeUri).replace('functions/', '');

  test('logs JSON to a log group of its own, whose entries expire', () => {
    const group = /^<(\w+)>$/.exec(String(at(Properties, 'LoggingConfig', 'LogGroup')))?.[1] ?? '';
    expect(Properties.LoggingConfig).toMatchObject({ LogFormat: 'JSON', ApplicationLogLevel: 'INFO' });
    expect(resources[group]?.Properties).toEqual({
      LogGroupName: `/aws/lambda/${String(Properties.FunctionName ?? `<AWS::StackName>/${folder}`)}`,
      RetentionInDays: '30',
    });
  });
});

test.each([
  {},
  EVERYTHING,
  TOKENS,
  LOADER,
  LOADER_OPTIONS,
  { ...LOADER, DataBucketName: '*', EnableMetrics: 'false' },
  { ...EVERYTHING, ...TOKENS, ...LOADER_OPTIONS, ...STACK_KEY, RedriveSchedule: 'rate(1 hour)' },
  STACK_KEY,
  { EndpointType: 'PRIVATE', AllowedVpcEndpointIds: 'vpce-0a', CreateApiGatewayAccountRole: 'false' },
])('nothing refers to what is not there with %p', (parameters) => {
  expect(brokenRules(parameters)).toEqual([]);
  expect(Object.keys(resourcesWith(parameters))).not.toEqual([]);
  expect(Object.keys(outputsWith(parameters))).toEqual(
    expect.arrayContaining(['Endpoint', 'LambdaDeadLetterQueueName']),
  );
});

test('the functions that write to Timestream or InfluxDB, and the authorizer, join the VPC, and their roles let them', () => {
  const parameters = { ...LOADER, ...TOKENS, ...VPC };
  const resources = resourcesWith(parameters);
  const joined = functionsWith(parameters).filter(([, { Properties }]) => Properties.VpcConfig !== undefined);
  expect(joined.map(([name]) => name).sort()).toEqual([
    'AuthorizeTokenFunction',
    'CheckInfluxDBFunction',
    'LoadBatchFunction',
    'LoadObjectFunction',
    'WriteLineProtocolFunction',
  ]);
  for (const [name, { Properties }] of functionsWith(parameters)) {
    const managed = resources[name.replace(/Function$/, 'Role')]?.Properties.ManagedPolicyArns ?? [];
    if (Properties.VpcConfig === undefined) expect(managed).toEqual([]);
    else {
      expect(Properties.VpcConfig).toEqual({ SubnetIds: ['subnet-0a', 'subnet-0b'], SecurityGroupIds: ['sg-0a'] });
      expect(managed).toEqual([expect.stringMatching(/:policy\/service-role\/AWSLambdaENIManagementAccess$/)]);
    }
  }
  for (const [, { Properties }] of functionsWith({ ...LOADER, ...TOKENS })) {
    expect(Properties).not.toHaveProperty('VpcConfig');
  }
});

test('the functions that are invoked asynchronously, and no others, have a dead letter queue, after two retries', () => {
  const withQueue = functionsWith(LOADER).filter(([, { Properties }]) => Properties.DeadLetterQueue !== undefined);
  expect(withQueue.map(([name]) => name)).toEqual(['WriteLineProtocolFunction', 'LoadObjectFunction']);
  for (const [, { Properties }] of withQueue) {
    expect(Properties.DeadLetterQueue).toEqual({ Type: 'SQS', TargetArn: '<LambdaDeadLetterQueue.Arn>' });
    expect(Properties.EventInvokeConfig).toEqual({ MaximumRetryAttempts: 2 });
  }
});

describe('environment of WriteLineProtocolFunction', () => {
  const NOT_PARAMETERS = ['MALLOC_ARENA_MAX', 'dead_letter_queue_url', 'AWS_ENDPOINT_URL_TIMESTREAM_WRITE'];
  const snakeCase = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();

  test('has no empty variable, which the function would refuse', () => {
    expect(Object.values(environmentWith())).not.toContain('');
  });

  test.each(Object.keys(environmentWith(EVERYTHING)).filter((name) => !NOT_PARAMETERS.includes(name)))(
    '%s is the parameter of that name',
    (variable) => {
      const parameter = Object.keys(template.Parameters).find((name) => snakeCase(name) === variable) ?? '';
      // Rules look at other parameters only when deployed, so a marker may stand for any value.
      const { [variable]: value } = environmentWith({ ...EVERYTHING, [parameter]: 'marker' });
      expect(value).toBe('marker');
    },
  );
});

describe('permissions', () => {
  /** Actions that know no resources: the service authorization reference lists none for them. */
  const NEED_ALL_RESOURCES = [
    'timestream:DescribeEndpoints',
    'cloudwatch:PutMetricData',
    'logs:CreateLogDelivery',
    'logs:GetLogDelivery',
    'logs:UpdateLogDelivery',
    'logs:DeleteLogDelivery',
    'logs:ListLogDeliveries',
    'logs:PutResourcePolicy',
    'logs:DescribeResourcePolicies',
    'logs:DescribeLogGroups',
  ];

  test.each([{}, EVERYTHING, LOADER, TOKENS, { ...EVERYTHING, ...LOADER_OPTIONS }])(
    'are enumerated actions on named resources with %p',
    (parameters) => {
      for (const statement of statementsWith(parameters)) {
        for (const action of listed(statement.Action)) {
          expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
          if (!NEED_ALL_RESOURCES.includes(action)) expect(listed(statement.Resource)).not.toContain('*');
        }
      }
    },
  );

  test('without any parameter are writing, creating, logging and sending dead-letter messages', () => {
    expect(actionsWith().sort()).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'sqs:SendMessage',
      'timestream:CreateDatabase',
      'timestream:CreateTable',
      'timestream:DescribeDatabase',
      'timestream:DescribeEndpoints',
      'timestream:WriteRecords',
    ]);
  });

  test.each([
    ['timestream:CreateDatabase', { EnableDatabaseCreation: 'false' }],
    ['timestream:CreateTable', { EnableTableCreation: 'false' }],
  ])('%s goes with %p', (action, parameters) => {
    expect(actionsWith(parameters)).not.toContain(action);
  });

  test.each([
    ['lambda:InvokeFunction', { EnableAsyncInvocation: 'true', LambdaName: 'x' }, /:lambda:.*:function:x$/],
    ['timestream:TagResource', { ResourceTags: 'a=b' }, /:database\/influxdb-line-protocol(\/table\/\*)?$/],
    ['kms:CreateGrant', { KmsKeyId: 'arn:aws:kms:r:1:key/k' }, /^arn:aws:kms:r:1:key\/k$/],
    ['s3:PutObject', { RejectedLinesBucket: 'lines' }, /:s3:::lines\/\*$/],
  ])('%s comes with %p', (action, parameters, resource) => {
    expect(actionsWith()).not.toContain(action);
    const resources = resourcesOf(action, parameters);
    expect(resources.length).toBeGreaterThan(0);
    for (const arn of resources) expect(arn).toMatch(resource);
  });

  test.each([
    [{}, 'database/influxdb-line-protocol/table/*'],
    [{ DatabaseName: 'db', TableMapping: 'single-table', SingleTableName: 'one' }, 'database/db/table/one'],
  ])('to write reach the tables of %p', (parameters, table) => {
    for (const action of ['timestream:WriteRecords', 'timestream:CreateTable']) {
      expect(resourcesOf(action, parameters)).toEqual([
        expect.stringMatching(new RegExp(`:${table.replace('*', '\\*')}$`)),
      ]);
    }
  });

  test('of the redrive are its two queues and what it replays to', () => {
    const role = 'RedriveDeadLettersRole';
    const queues = ['<LambdaDeadLetterQueue.Arn>', '<ParkingQueue.Arn>'];
    const moves = ['sqs:ReceiveMessage', 'sqs:SendMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'];
    const alone = ['logs:CreateLogStream', 'logs:PutLogEvents', ...moves, 'lambda:InvokeFunction'];
    expect(actionsWith({}, role)).toEqual(alone);
    for (const action of moves) expect(resourcesOf(action, {}, role)).toEqual(queues);
    expect(resourcesOf('lambda:InvokeFunction', {}, role)).toEqual(['<WriteLineProtocolFunction.Arn>']);

    const loads = ['states:StartExecution', 'states:DescribeExecution', 's3:GetObject', 's3:ListBucket'];
    expect(actionsWith(LOADER, role)).toEqual([...alone, ...loads]);
    expect(resourcesOf('s3:GetObject', LOADER, role)).toEqual(['<WorkBucket.Arn>/loads/*/summary.json']);
    expect(resourcesOf('s3:ListBucket', LOADER, role)).toEqual(['<WorkBucket.Arn>']);
    expect(resourcesOf('lambda:InvokeFunction', LOADER, role)).toEqual([
      '<WriteLineProtocolFunction.Arn>',
      '<LoadObjectFunction.Arn>',
    ]);
    expect(resourcesOf('states:StartExecution', LOADER, role)).toEqual(['<BulkLoadStateMachine>']);
    expect(resourcesOf('states:DescribeExecution', LOADER, role)).toEqual([
      expect.stringMatching(/:execution:<BulkLoadStateMachine.Name>:\*$/),
    ]);
  });

  test('the account-wide logging role is optional and outlives the stack', () => {
    expect(resourcesWith().RestApiGatewayLogsRole?.DeletionPolicy).toBe('Retain');
    expect(resourcesWith({ CreateApiGatewayAccountRole: 'false' })).not.toHaveProperty('RestApiGatewayLogsRole');
    expect(resourcesWith({ CreateApiGatewayAccountRole: 'false' })).not.toHaveProperty('RestApiGatewayLogAccount');
  });
});

describe.each(byType(resourcesWith({ ...LOADER, ...TOKENS }), 'AWS::Logs::LogGroup'))('log group %s', (name) => {
  const group = (parameters: Overrides) => resourcesWith({ ...LOADER, ...TOKENS, ...parameters })[name]?.Properties;

  test('keeps entries for LogRetentionInDays', () => {
    expect(group({})?.RetentionInDays).toBe('30');
    expect(group({ LogRetentionInDays: '365' })?.RetentionInDays).toBe('365');
  });

  test('is encrypted with StackKmsKeyArn if it is given', () => {
    expect(group({})).not.toHaveProperty('KmsKeyId');
    expect(group(STACK_KEY)?.KmsKeyId).toBe(STACK_KEY.StackKmsKeyArn);
  });
});

describe('StackKmsKeyArn', () => {
  const usesKey = (parameters: Overrides) => (statement: Fields) =>
    statement.Resource === parameters.StackKmsKeyArn && listed(statement.Action).includes('kms:Decrypt');
  /** The roles whose policies name the queues or the work bucket. */
  const reachesEncrypted = (statement: Fields) =>
    listed(statement.Resource).some((arn) => /^<(?:LambdaDeadLetterQueue|ParkingQueue|WorkBucket)\.Arn>/.test(arn));

  test.each([STACK_KEY, { ...STACK_KEY, ...LOADER, ...TOKENS }])(
    'may be used by exactly the roles that use a queue or the work bucket, with %p',
    (parameters) => {
      const roles = byType(resourcesWith(parameters), 'AWS::IAM::Role').map(([role]) => role);
      const rolesWith = (has: (statement: Fields) => boolean) =>
        roles.filter((role) => statementsWith(parameters, role).some(has));
      expect(rolesWith(usesKey(parameters))).toEqual(rolesWith(reachesEncrypted));
    },
  );

  test('is used through SQS and S3 only', () => {
    const [statement, ...others] = statementsWith(STACK_KEY, 'RedriveDeadLettersRole').filter(usesKey(STACK_KEY));
    expect(others).toEqual([]);
    expect(statement).toMatchObject({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Condition: {
        StringEquals: {
          'kms:ViaService': [
            expect.stringMatching(/^sqs\.<AWS::Region>\./),
            expect.stringMatching(/^s3\.<AWS::Region>\./),
          ],
        },
      },
    });
  });

  test('encrypts the work bucket with a bucket key', () => {
    expect(resourcesWith({ ...LOADER, ...STACK_KEY }).WorkBucket?.Properties.BucketEncryption).toEqual({
      ServerSideEncryptionConfiguration: [
        {
          ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: STACK_KEY.StackKmsKeyArn },
          BucketKeyEnabled: true,
        },
      ],
    });
  });
});

describe.each(byType(resourcesWith(), 'AWS::SQS::Queue'))('queue %s', (name, { Properties }) => {
  test('is encrypted, keeps messages for 14 days and takes the largest asynchronous event', () => {
    expect(Properties).toEqual({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 24 * 3600,
      MaximumMessageSize: 1024 * 1024,
    });
  });

  test('is encrypted with StackKmsKeyArn if it is given', () => {
    expect(resourcesWith(STACK_KEY)[name]?.Properties).toMatchObject({
      SqsManagedSseEnabled: false,
      KmsMasterKeyId: STACK_KEY.StackKmsKeyArn,
    });
  });

  const statements = (parameters = {}): Value | undefined => {
    const policies = byType(resourcesWith(parameters), 'AWS::SQS::QueuePolicy').map(([, policy]) => policy.Properties);
    const policy = policies.find((candidate) => listed(candidate.Queues).includes(`<${name}>`));
    return at(policy?.PolicyDocument, 'Statement');
  };
  const DENY_PLAIN_HTTP = {
    Sid: 'DenyPlainHttp',
    Effect: 'Deny',
    Principal: '*',
    Action: 'sqs:*',
    Resource: `<${name}.Arn>`,
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };

  test('refuses plain HTTP and admits nobody by its policy', () => {
    expect(statements()).toEqual([DENY_PLAIN_HTTP]);
  });

  test.each([
    [{ ...LOADER, DataBucketName: '*' }, ['<FailedLoadRule.Arn>']],
    [LOADER, ['<FailedLoadRule.Arn>', '<NewObjectRule.Arn>']],
  ])('admits the rules of the loader with %p, to the dead letters alone', (parameters, rules) => {
    if (name !== 'LambdaDeadLetterQueue') return expect(statements(parameters)).toEqual([DENY_PLAIN_HTTP]);
    expect(statements(parameters)).toEqual([
      {
        Sid: 'AllowFailedLoads',
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: `<${name}.Arn>`,
        Condition: { ArnEquals: { 'aws:SourceArn': rules } },
      },
      DENY_PLAIN_HTTP,
    ]);
  });
});

describe('the redrive', () => {
  const redrive = (parameters = {}) => resourcesWith(parameters).RedriveDeadLettersFunction?.Properties;
  const SCHEDULE = { RedriveSchedule: 'rate(1 hour)' };

  const redriveConfig = (parameters = {}) => {
    const variables = at(redrive(parameters)?.Environment, 'Variables') as Fields;
    // A queue's URL is what a reference to it comes to.
    const environment = Object.entries(variables).map(([name, value]) => [
      name,
      String(value).replace(/^<(\w+Queue)>$/, 'https://sqs.example/$1'),
    ]);
    return loadRedriveConfig(Object.fromEntries(environment));
  };

  test('replays to the functions and the workflow that the stack has', () => {
    expect(redriveConfig()).toMatchObject({
      queueUrl: 'https://sqs.example/LambdaDeadLetterQueue',
      parkingQueueUrl: 'https://sqs.example/ParkingQueue',
      writeFunction: '<WriteLineProtocolFunction>',
      loadObjectFunction: undefined,
      workflow: undefined,
    });
    expect(redriveConfig(LOADER)).toMatchObject({
      loadObjectFunction: '<LoadObjectFunction>',
      workflow: { stateMachineArn: '<BulkLoadStateMachine>', workBucket: '<WorkBucket>' },
    });
  });

  test('knows how long the functions may run that it waits for', () => {
    const parameters = { ...LOADER, LambdaTimeoutInSeconds: '77', LoaderTimeoutInSeconds: '777' };
    const { WriteLineProtocolFunction: write, LoadObjectFunction: object } = resourcesWith(parameters);
    expect(redriveConfig(parameters).bounds.timeoutsMs).toEqual({
      write: 1_000 * Number(write?.Properties.Timeout),
      object: 1_000 * Number(object?.Properties.Timeout),
    });
  });

  describe('does not overlap with its next run: the schedule', () => {
    const { AllowedPattern = '' } = template.Parameters.RedriveSchedule ?? {};
    const allowed = (schedule: string): boolean => new RegExp(`^(?:${AllowedPattern})$`).test(schedule);

    test.each([
      '',
      'rate(15 minutes)',
      'rate(90 minutes)',
      'rate(1 hour)',
      'rate(12 hours)',
      'rate(1 day)',
      'rate(7 days)',
      'cron(0 3 * * ? *)',
      'cron(59 * * * ? *)',
      'cron(0/15 8-18 ? * MON-FRI *)',
      'cron(14/15 * * * ? *)',
      'cron(0/20 * * * ? *)',
      'cron(19/20 * * * ? *)',
      'cron(29/30 * * * ? *)',
    ])('may be %j', (schedule) => {
      expect(allowed(schedule)).toBe(true);
    });

    test.each([
      'rate(1 minute)',
      'rate(5 minutes)',
      'rate(14 minutes)',
      'rate(0 hours)',
      'cron(* * * * ? *)',
      'cron(*/5 * * * ? *)',
      'cron(0/14 * * * ? *)',
      // Steps that do not divide the hour: the last run of an hour is close to the first one of the next.
      'cron(0/16 * * * ? *)',
      'cron(0/25 * * * ? *)',
      'cron(0/45 * * * ? *)',
      'cron(0/59 * * * ? *)',
      'cron(15/15 * * * ? *)',
      'cron(20/20 * * * ? *)',
      'cron(30/30 * * * ? *)',
      'cron(0/15,7 * * * ? *)',
      'cron(60 * * * ? *)',
      'cron(0,5 * * * ? *)',
      'cron(0-9 * * * ? *)',
      '1 hour',
    ])('may not be %j', (schedule) => {
      expect(allowed(schedule)).toBe(false);
    });

    test('comes no sooner than a run has ended', () => {
      expect(Number(redrive()?.Timeout)).toBeLessThanOrEqual(15 * 60);
    });
  });

  test('runs on a schedule only where there is one, and is not repeated by Lambda', () => {
    expect(resourcesWith()).not.toHaveProperty('RedriveRule');
    expect(resourcesWith()).not.toHaveProperty('RedriveRulePermission');
    const { RedriveRule: rule, RedriveRulePermission: permission } = resourcesWith(SCHEDULE);
    expect(rule?.Properties).toMatchObject({
      ScheduleExpression: 'rate(1 hour)',
      Targets: [{ Arn: '<RedriveDeadLettersFunction.Arn>', Input: '{}' }],
    });
    expect(permission?.Properties).toEqual({
      FunctionName: '<RedriveDeadLettersFunction>',
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      SourceArn: '<RedriveRule.Arn>',
    });
    expect(redrive()?.EventInvokeConfig).toEqual({ MaximumRetryAttempts: 0 });
  });
});
