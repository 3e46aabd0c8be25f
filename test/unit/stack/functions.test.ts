import {
  at,
  byType,
  type Fields,
  LOADER,
  listed,
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
};

/** The loader with a value for each of its optional parameters. */
const LOADER_OPTIONS = {
  ...LOADER,
  MaxBatchSize: '5000',
  DatasetMappings: 's3://configuration/datasets.json',
  LoaderReservedConcurrency: '20',
  VpcSubnetIds: 'subnet-0a,subnet-0b',
  VpcSecurityGroupIds: 'sg-0a',
  DataBucketName: 'energy',
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

describe.each(functionsWith({ ...LOADER, ...TOKENS }))('%s', (_name, { Properties, Metadata }) => {
  const resources = resourcesWith({ ...LOADER, ...TOKENS });
  const folder = String(Properties.CodeUri).replace('functions/', '');

  test('logs JSON to a log group of its own, which forgets', () => {
    const group = /^<(\w+)>$/.exec(String(at(Properties, 'LoggingConfig', 'LogGroup')))?.[1] ?? '';
    expect(Properties.LoggingConfig).toMatchObject({ LogFormat: 'JSON', ApplicationLogLevel: 'INFO' });
    expect(resources[group]?.Properties).toEqual({
      LogGroupName: `/aws/lambda/${String(Properties.FunctionName ?? `<AWS::StackName>/${folder}`)}`,
      RetentionInDays: expect.any(Number),
    });
  });

  test('says its timeout, memory, runtime, architecture and role', () => {
    expect(Number(Properties.Timeout)).toBeGreaterThan(0);
    expect(Number(Properties.MemorySize)).toBeGreaterThanOrEqual(128);
    expect(Properties.Runtime).toBe('nodejs24.x');
    expect(Properties.Architectures).toEqual(['arm64']);
    expect(Properties.Role).toMatch(/^<\w+Role\.Arn>$/);
  });

  test('is bundled as CommonJS with the layer outside, so that only the layer holds the shared code', () => {
    expect(Metadata.BuildMethod).toBe('esbuild');
    expect(Metadata.BuildProperties).toMatchObject({
      Format: 'cjs',
      External: expect.arrayContaining(['shared/*']),
      MainFields: 'module,main',
      Supported: ['dynamic-import=false'],
    });
    expect(Properties.Handler).toBe('handler.handler');
    expect(Properties.Layers).toEqual(['<SharedLayer>']);
  });
});

test('the functions that are invoked asynchronously, and no others, have a dead letter queue, after two retries', () => {
  const withQueue = functionsWith(LOADER).filter(([, { Properties }]) => Properties.DeadLetterQueue !== undefined);
  expect(withQueue.map(([name]) => name)).toEqual(['WriteLineProtocolFunction', 'LoadObjectFunction']);
  for (const [, { Properties }] of withQueue) {
    expect(Properties.DeadLetterQueue).toEqual({ Type: 'SQS', TargetArn: '<LambdaDeadLetterQueue.Arn>' });
    expect(Properties.EventInvokeConfig).toEqual({ MaximumRetryAttempts: 2 });
  }
});

test('the layer is made by its makefile, which has no rule of another name', () => {
  const layer = resourcesWith().SharedLayer;
  expect(layer?.Metadata).toEqual({ BuildMethod: 'makefile', BuildArchitecture: 'arm64' });
  expect(layer?.Properties.CompatibleArchitectures).toEqual(template.Parameters.Architecture?.AllowedValues);
});

describe('environment of WriteLineProtocolFunction', () => {
  const NOT_PARAMETERS = ['dead_letter_queue_url', 'AWS_ENDPOINT_URL_TIMESTREAM_WRITE'];
  const snakeCase = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();

  test('without any parameter, optional variables are absent and none is empty', () => {
    const environment = environmentWith();
    expect(Object.values(environment)).not.toContain('');
    expect(Object.keys(environment).sort()).toEqual([
      'database_name',
      'dead_letter_queue_url',
      'enable_async_invocation',
      'enable_database_creation',
      'enable_mag_store_writes',
      'enable_table_creation',
      'escape_names',
      'log_level',
      'mag_store_retention_period',
      'max_compressed_bytes',
      'max_decompressed_bytes',
      'max_line_bytes',
      'max_lines',
      'max_new_tables',
      'max_tags_and_fields',
      'measure_name_for_multi_measure_records',
      'mem_store_retention_period',
      'rest_api_gateway_timeout_in_millis',
      'single_table_name',
      'suffixed_fields',
      'table_mapping',
      'write_deadline_millis',
    ]);
  });

  test('with every parameter, the optional variables join', () => {
    const optional = Object.keys(environmentWith(EVERYTHING)).filter((name) => !(name in environmentWith()));
    expect(optional.sort()).toEqual([
      'AWS_ENDPOINT_URL_TIMESTREAM_WRITE',
      'custom_partition_key_dimension',
      'custom_partition_key_type',
      'default_dimension',
      'enforce_custom_partition_key',
      'kms_key_id',
      'rejected_lines_bucket',
      'resource_tags',
    ]);
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
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
    'xray:GetSamplingRules',
    'xray:GetSamplingTargets',
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

  test('without any parameter are writing, creating, logging and sending dead letters', () => {
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

    expect(actionsWith(LOADER, role)).toEqual([...alone, 'states:StartExecution', 'states:DescribeExecution']);
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

describe.each(byType(resourcesWith(), 'AWS::SQS::Queue'))('queue %s', (name, { Properties }) => {
  test('is encrypted, keeps letters for 14 days and takes the largest asynchronous event', () => {
    expect(Properties).toEqual({
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 24 * 3600,
      MaximumMessageSize: 1024 * 1024,
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
    [LOADER, ['<FailedLoadRule.Arn>']],
    [{ ...LOADER, DataBucketName: 'energy' }, ['<FailedLoadRule.Arn>', '<NewObjectRule.Arn>']],
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

  test('replays to what there is, within the bounds of the parameters', () => {
    const bounds = { RedriveLettersPerSecond: '7', RedriveMaxLetters: '70', RedriveMaxTries: '17' };
    const connector = {
      DEAD_LETTER_QUEUE_URL: '<LambdaDeadLetterQueue>',
      PARKING_QUEUE_URL: '<ParkingQueue>',
      WRITE_FUNCTION_NAME: '<WriteLineProtocolFunction>',
      LETTERS_PER_SECOND: '7',
      MAX_LETTERS: '70',
      MAX_TRIES: '17',
      LOG_LEVEL: 'INFO',
    };
    expect(at(redrive(bounds)?.Environment, 'Variables')).toEqual(connector);
    expect(at(redrive({ ...LOADER, ...bounds })?.Environment, 'Variables')).toEqual({
      ...connector,
      LOAD_OBJECT_FUNCTION_NAME: '<LoadObjectFunction>',
      STATE_MACHINE_ARN: '<BulkLoadStateMachine>',
    });
  });

  test('outlasts what it waits for', () => {
    const resources = resourcesWith({ ...LOADER, LambdaTimeoutInSeconds: '900' });
    const longest = ['WriteLineProtocolFunction', 'LoadObjectFunction'].map(
      (name) => resources[name]?.Properties.Timeout,
    );
    expect(redrive()?.Timeout).toBeGreaterThanOrEqual(Math.max(...longest.map(Number)));
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

test.each(byType(resourcesWith({ ...LOADER, ...TOKENS }), 'AWS::Logs::LogGroup'))(
  'log group %s forgets',
  (_name, { Properties }) => {
    expect(Properties.RetentionInDays).toBeGreaterThan(0);
  },
);

test('what the original connector put out is put out', () => {
  expect(Object.keys(template.Outputs)).toEqual(expect.arrayContaining(['Endpoint', 'LambdaDeadLetterQueueName']));
});
