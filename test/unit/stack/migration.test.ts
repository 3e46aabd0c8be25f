/** The migration of the stack: its functions, permissions, workflow and API. */
import {
  loadMigrationConfig,
  loadMigrationDefaults,
  loadPlanningConfig,
  loadWorkflowConfig,
} from 'shared/loader-config';
import { expectOneName } from './one-name';
import {
  at,
  type Fields,
  LOADER,
  listed,
  MIGRATION,
  type Overrides,
  operationsWith,
  outputsWith,
  propertiesOf,
  resourcesWith,
  statementsWith,
} from './template';

const STEPS = ['Survey', 'Export', 'Load', 'RecordLoad', 'Verify', 'Report'];
const FUNCTIONS = [...STEPS, 'StartMigration', 'DescribeMigration'];
const KEY = { StackKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/abc' };
const ELSEWHERE = { ...MIGRATION, ExportBucketName: 'exports' };
const VPC = { ...MIGRATION, VpcSubnetIds: 'subnet-0a', VpcSecurityGroupIds: 'sg-0a' };

const properties = (name: string, parameters: Overrides = MIGRATION): Fields => propertiesOf(name, parameters);
const environment = (name: string, parameters: Overrides = MIGRATION): Record<string, string> =>
  at(properties(`${name}Function`, parameters), 'Environment', 'Variables') as Record<string, string>;

/** What a role may do, as `action resource` without the log's statement. */
const permissions = (name: string, parameters: Overrides = MIGRATION): string[] =>
  statementsWith(parameters, `${name}Role`)
    .flatMap(({ Action, Resource }) =>
      listed(Action).flatMap((action) => listed(Resource).map((arn) => `${action} ${arn}`)),
    )
    .filter((permission) => !permission.startsWith('logs:'))
    .sort();

test.each([{}, LOADER])('without MigrationDatabaseName the stack has no migration: %p', (parameters) => {
  const names = Object.keys(resourcesWith(parameters));
  const added = Object.keys(resourcesWith(MIGRATION)).filter((name) => !(name in resourcesWith(LOADER)));
  expect(added.length).toBeGreaterThan(3 * FUNCTIONS.length);
  expect(names.filter((name) => added.includes(name))).toEqual([]);
  expect(operationsWith(parameters).filter(([, path]) => path.startsWith('/migrations'))).toEqual([]);
  expect(Object.keys(outputsWith(parameters)).filter((name) => /Migrat/.test(name))).toEqual([]);
});

test('no resource of the loader changes with the migration, but the receivers of its permissions', () => {
  const changed = Object.entries(resourcesWith(LOADER)).filter(
    ([name, resource]) => JSON.stringify(resource) !== JSON.stringify(resourcesWith(MIGRATION)[name]),
  );
  expect(changed.map(([name]) => name).sort()).toEqual([
    'ConnectorApi',
    'LambdaDeadLetterQueuePolicy',
    'ReadTokenPolicy',
    'RedriveDeadLettersFunction',
    'RedriveDeadLettersRole',
    'SendMetricsPolicy',
  ]);
});

test.each(FUNCTIONS)('%s has one name everywhere', (name) => expectOneName(name, MIGRATION));

describe('environment', () => {
  test.each([
    ['Survey', loadMigrationConfig],
    ['Export', loadMigrationConfig],
    ['Load', loadPlanningConfig],
    ['RecordLoad', loadPlanningConfig],
    ['Verify', loadMigrationConfig],
    ['Report', loadMigrationConfig],
    ['StartMigration', loadWorkflowConfig],
    ['DescribeMigration', loadWorkflowConfig],
  ] as const)('is what %s takes', (name, load) => {
    expect(load(environment(name))).toMatchObject({ workBucket: '<WorkBucket>' });
  });

  test.each(['Survey', 'StartMigration'])('names the database and the folder of exports to %s', (name) => {
    expect(loadMigrationDefaults(environment(name))).toEqual({
      database: 'plant',
      export: 's3://<WorkBucket>/exports/',
    });
    expect(loadMigrationDefaults(environment(name, { ...ELSEWHERE, MigrationDatabaseName: '*' }))).toEqual({
      database: undefined,
      export: 's3://exports/exports/',
    });
  });

  test('has the endpoint of TimestreamQueryEndpoint for the functions that query Timestream', () => {
    const parameters = { ...MIGRATION, TimestreamQueryEndpoint: 'https://vpce.example' };
    for (const name of ['Survey', 'Export']) {
      expect(loadMigrationConfig(environment(name, parameters)).queryEndpoint).toBe('https://vpce.example');
      expect(loadMigrationConfig(environment(name)).queryEndpoint).toBeUndefined();
    }
  });

  test('has the key of exports in the work bucket, and no key for another bucket', () => {
    expect(loadMigrationConfig(environment('Export', { ...MIGRATION, ...KEY })).exportKmsKey).toBe(KEY.StackKmsKeyArn);
    expect(loadMigrationConfig(environment('Export', { ...ELSEWHERE, ...KEY })).exportKmsKey).toBeUndefined();
  });
});

test('the functions that reach Timestream or InfluxDB are in the VPC, and the others are not', () => {
  const inside = FUNCTIONS.filter((name) => 'VpcConfig' in properties(`${name}Function`, VPC));
  expect(inside).toEqual(['Survey', 'Export', 'Verify']);
});

describe('permissions', () => {
  const LEDGER = [
    's3:GetObject <WorkBucket.Arn>/migrations/*',
    's3:ListBucket <WorkBucket.Arn>',
    's3:PutObject <WorkBucket.Arn>/migrations/*',
  ];
  const TOKEN = expect.stringMatching(/^secretsmanager:GetSecretValue .*:secret:influxdb\/token-\?{6}$/);
  const ENDPOINTS = 'timestream:DescribeEndpoints *';
  const onTables = (action: string) =>
    expect.stringMatching(new RegExp(`^timestream:${action} .*:database/plant/table/\\*$`));
  const DESCRIBE = expect.stringMatching(/^states:DescribeExecution .*:execution:<MigrateStateMachine.Name>:\*$/);
  const UNLOAD = ['Select', 'ListMeasures', 'WriteRecords', 'Unload'].map(onTables);

  test.each([
    [
      'Survey',
      [
        ...LEDGER,
        TOKEN,
        ENDPOINTS,
        onTables('Select'),
        onTables('DescribeTable'),
        expect.stringMatching(/^timestream:ListTables .*:database\/plant$/),
      ],
    ],
    [
      'Export',
      [
        ...LEDGER,
        's3:ListBucket <WorkBucket.Arn>',
        's3:GetBucketAcl <WorkBucket.Arn>',
        ...['PutObject', 'GetObject', 'AbortMultipartUpload'].map((each) => `s3:${each} <WorkBucket.Arn>/exports/*`),
        ENDPOINTS,
        ...UNLOAD,
      ],
    ],
    ['Load', LEDGER],
    ['RecordLoad', [...LEDGER, 's3:GetObject <WorkBucket.Arn>/loads/*/summary.json']],
    ['Verify', [...LEDGER, TOKEN]],
    ['Report', [...LEDGER, 'cloudwatch:PutMetricData *']],
    ['StartMigration', ['states:StartExecution <MigrateStateMachine>', DESCRIBE]],
    ['DescribeMigration', [...LEDGER.slice(0, 2), DESCRIBE]],
  ])('%s has these alone: %p', (name, expected) => {
    const actual = permissions(name);
    expect(actual).toEqual(expect.arrayContaining(expected));
    expect(actual).toHaveLength(expected.length);
  });

  test('exports go to ExportBucketName alone, and the loader reads them where they are', () => {
    const written = permissions('Export', ELSEWHERE).filter((each) => /^s3:(PutObject|GetBucketAcl)/.test(each));
    expect(written).toEqual([
      expect.stringMatching(/^s3:GetBucketAcl .*:s3:::exports$/),
      's3:PutObject <WorkBucket.Arn>/migrations/*',
      expect.stringMatching(/^s3:PutObject .*:s3:::exports\/\*$/),
    ]);
    expect(permissions('LoadBatch')).toContain('s3:GetObject <WorkBucket.Arn>/exports/*');
    expect(permissions('LoadBatch', ELSEWHERE)).not.toContain('s3:GetObject <WorkBucket.Arn>/exports/*');
    expect(permissions('LoadBatch', ELSEWHERE)).toContainEqual(
      expect.stringMatching(/^s3:GetObject .*:::exports\/\*$/),
    );
  });

  test('of keys come with a key only', () => {
    const keys = (parameters: Overrides) => permissions('Export', parameters).filter((each) => each.startsWith('kms:'));
    expect(keys(MIGRATION)).toEqual([]);
    expect(keys({ ...MIGRATION, ...KEY })).toEqual(
      expect.arrayContaining(
        ['CreateGrant', 'Decrypt', 'DescribeKey', 'GenerateDataKey*'].map(
          (each) => `kms:${each} ${KEY.StackKmsKeyArn}`,
        ),
      ),
    );
    const database = { ...MIGRATION, KmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/database' };
    expect(keys(database)).toEqual(
      ['CreateGrant', 'Decrypt', 'DescribeKey'].map((each) => `kms:${each} ${database.KmsKeyId}`),
    );
  });

  test('of the workflow are its functions, its lists and the nested loads, with the rule that reports their end', () => {
    const own = permissions('Migrate');
    const invoked = own.filter((each) => each.startsWith('lambda:'));
    expect(invoked).toEqual(
      [...STEPS, 'CheckInfluxDB'].sort().map((name) => `lambda:InvokeFunction <${name}Function.Arn>`),
    );
    expect(own.filter((each) => each.startsWith('s3:'))).toEqual([
      's3:GetObject <WorkBucket.Arn>/migrations/*/loads.jsonl',
      's3:GetObject <WorkBucket.Arn>/migrations/*/loads/*',
    ]);
    expect(own.filter((each) => each.startsWith('events:'))).toEqual(
      ['DescribeRule', 'PutRule', 'PutTargets'].map((action) =>
        expect.stringMatching(
          new RegExp(`^events:${action} .*:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule$`),
        ),
      ),
    );
    expect(own.filter((each) => each.startsWith('states:StartExecution'))).toEqual([
      'states:StartExecution <BulkLoadStateMachine>',
      'states:StartExecution <MigrateStateMachine>',
      'states:StartExecution <MigrateStateMachine>/*',
    ]);
    // Inside the role, this would be a circular dependency.
    expect(JSON.stringify(properties('MigrateRole'))).not.toContain('<MigrateStateMachine');
  });
});

test('migrations are started and described by signed requests', () => {
  const operations = operationsWith(MIGRATION).filter(([, path]) => path.startsWith('/migrations'));
  const signed = operations.filter(([method]) => method !== 'ANY');
  expect(signed.map(([method, path]) => `${method} ${path}`)).toEqual(['POST /migrations', 'GET /migrations/{id}']);
  for (const [, , { security }] of signed) expect(security).toEqual([{ sigv4: [] }]);
  for (const name of ['StartMigration', 'DescribeMigration']) {
    expect(Number(properties(`${name}Function`).Timeout)).toBeLessThanOrEqual(29);
  }
});

test('a migration that failed, timed out or was aborted becomes a dead-letter message', () => {
  expect(properties('FailedMigrationRule')).toMatchObject({
    EventPattern: {
      source: ['aws.states'],
      detail: { stateMachineArn: ['<MigrateStateMachine>'], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
    },
    Targets: [{ Arn: '<LambdaDeadLetterQueue.Arn>' }],
  });
  const [statement] = at(properties('LambdaDeadLetterQueuePolicy'), 'PolicyDocument', 'Statement') as Fields[];
  expect(at(statement, 'Condition', 'ArnEquals', 'aws:SourceArn')).toContain('<FailedMigrationRule.Arn>');
});
