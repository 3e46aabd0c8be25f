/** What the parameter Destination changes in the stack: the role and the variables of the write function. */
import { loadConnectorConfig } from 'shared/config';
import { TIMESTREAM_LIMITS } from 'shared/timestream/refusal';
import { optionOf } from '../../../local/cli/settings';
import { CONNECTOR_SETTINGS } from '../../../local/cli/settings-tables';
import { TIMESTREAM_OPTIONS as REFUSED_OPTIONS } from '../../../local/cli/unused-options';
import {
  at,
  byType,
  type Fields,
  LOADER,
  listed,
  type Overrides,
  propertiesOf,
  resourcesWith,
  statementsWith,
  TOKENS,
  template,
} from './template';

const INFLUXDB = {
  InfluxDBUrl: 'https://influxdb.example.com:8086',
  InfluxDBTokenSecretName: 'influxdb/token',
  InfluxDBOrg: 'plant',
  InfluxDBBucket: 'metrics',
  InfluxDBEngine: 'v3',
};
const TO_INFLUXDB = { ...INFLUXDB, Destination: 'influxdb' };
const TO_BOTH = { ...INFLUXDB, Destination: 'both' };
const KEY = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd';

/** A value for each optional parameter of Timestream. */
const TIMESTREAM_OPTIONS = {
  DefaultDimension: 'source=unknown',
  CustomPartitionKeyType: 'dimension',
  CustomPartitionKeyDimension: 'host',
  EnforceCustomPartitionKey: 'true',
  KmsKeyId: KEY,
  ResourceTags: 'team=data',
  TimestreamWriteEndpoint: 'https://ingest.example.com',
};
const VPC = { VpcSubnetIds: 'subnet-0a', VpcSecurityGroupIds: 'sg-0a' };
/** What may be combined with each destination. */
const COMBINED: Overrides[] = [
  {},
  TIMESTREAM_OPTIONS,
  { TableMapping: 'single-table' },
  { EnableAsyncInvocation: 'true', RejectedLinesBucket: 'rejected-lines' },
  TOKENS,
  VPC,
  { StackKmsKeyArn: KEY },
  { DataBucketName: 'energy' },
  { ...TIMESTREAM_OPTIONS, ...TOKENS, ...VPC, DataBucketName: '*', EnableAsyncInvocation: 'true' },
];

/** Variables of the write function with every destination, and no other parameter. */
const ALWAYS = {
  MALLOC_ARENA_MAX: '1',
  metrics_namespace: 'ONS/InfluxDB',
  log_level: 'INFO',
  enable_async_invocation: 'false',
  dead_letter_queue_url: '<LambdaDeadLetterQueue>',
  write_deadline_millis: '4500',
  rest_api_gateway_timeout_in_millis: '29000',
  max_compressed_bytes: '0',
  max_decompressed_bytes: '0',
  max_line_bytes: '65536',
  max_lines: '0',
  max_tags_and_fields: '0',
};
const OF_TIMESTREAM = {
  metrics_per_table: 'false',
  database_name: 'influxdb-line-protocol',
  table_mapping: 'multi-table',
  single_table_name: 'influxdb-measures',
  measure_name_for_multi_measure_records: 'influxdb-measure',
  escape_names: 'false',
  suffixed_fields: 'system:type',
  enable_database_creation: 'true',
  enable_table_creation: 'true',
  max_new_tables: '100',
  mem_store_retention_period: '12',
  mag_store_retention_period: '8000',
  enable_mag_store_writes: 'true',
};
const OF_INFLUXDB = {
  INFLUXDB_URL: 'https://influxdb.example.com:8086',
  INFLUXDB_ORG: 'plant',
  INFLUXDB_BUCKET: 'metrics',
  INFLUXDB_TOKEN_SECRET_NAME: 'influxdb/token',
  INFLUXDB_ENGINE: 'v3',
  bucket_mapping: 'configured',
  org_mapping: 'configured',
};
const OF_BOTH = { secondary_required: 'true', influxdb_only_lines: 'none' };

const ROLE = 'WriteLineProtocolRole';
const variables = (parameters: Overrides): Fields =>
  at(propertiesOf('WriteLineProtocolFunction', parameters), 'Environment', 'Variables') as Fields;

/** What a role, or each role, may do, as `action resource`. */
const permissions = (parameters: Overrides, role?: string): string[] =>
  statementsWith(parameters, role).flatMap(({ Action, Resource }) =>
    listed(Action).flatMap((action) => listed(Resource).map((resource) => `${action} ${resource}`)),
  );
const ofService = (service: string, parameters: Overrides, role?: string): string[] =>
  permissions(parameters, role).filter((permission) => permission.startsWith(`${service}:`));

const READ_TOKEN =
  'secretsmanager:GetSecretValue arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:influxdb/token-??????';

describe('without parameters', () => {
  test('the stack has the resources of the connector alone', () => {
    expect(Object.keys(resourcesWith()).sort()).toEqual([
      'ConnectorApi',
      'ConnectorApiPermission',
      'LambdaDeadLetterQueue',
      'LambdaDeadLetterQueuePolicy',
      'ParkingQueue',
      'ParkingQueuePolicy',
      'RedriveDeadLettersFunction',
      'RedriveDeadLettersLogGroup',
      'RedriveDeadLettersRole',
      'RestApiGatewayLogAccount',
      'RestApiGatewayLogGroup',
      'RestApiGatewayLogsRole',
      'SharedLayer',
      'WriteLineProtocolFunction',
      'WriteLineProtocolLogGroup',
      'WriteLineProtocolRole',
    ]);
  });

  test('the write function has the variables of Timestream', () => {
    expect(variables({})).toEqual({ ...ALWAYS, ...OF_TIMESTREAM, destination: 'timestream' });
  });
});

describe('Destination timestream', () => {
  /** What the way back from `both` leaves. */
  const LEFT = {
    ...{ ...INFLUXDB, InfluxDBUrl: '' },
    ...{ BucketMapping: 'a=b', OrgMapping: 'passthrough', InfluxDBOnlyLines: 'all' },
  };

  test.each([{ ...LOADER }, { ...LOADER, ...TIMESTREAM_OPTIONS, ...VPC }, LEFT])(
    'gives the write function no variable and no token of InfluxDB with %p',
    (parameters) => {
      expect(Object.keys(variables(parameters)).filter((name) => /influx|mapping|second/i.test(name))).toEqual([
        'table_mapping',
      ]);
      expect(ofService('secretsmanager', parameters, ROLE)).toEqual([]);
    },
  );
});

describe('Destination influxdb', () => {
  test.each(COMBINED)('asks for no permission of Timestream with %p', (combined) => {
    const parameters = { ...combined, ...TO_INFLUXDB };
    expect(ofService('timestream', parameters)).toEqual([]);
    // The key of the database.
    const key = combined.StackKmsKeyArn === undefined ? [] : ['kms:Decrypt', 'kms:GenerateDataKey'];
    expect(ofService('kms', parameters, ROLE)).toEqual(key.map((action) => `${action} ${KEY}`));
    const managed = byType(resourcesWith(parameters), 'AWS::IAM::Role').map(([, role]) => role.Properties);
    expect(JSON.stringify(managed.map(({ ManagedPolicyArns }) => ManagedPolicyArns))).not.toMatch(/timestream/i);
  });

  test.each([TO_INFLUXDB, { ...TO_INFLUXDB, ...TIMESTREAM_OPTIONS }])(
    'gives the write function no variable of Timestream with %p',
    (parameters) => {
      expect(variables(parameters)).toEqual({ ...ALWAYS, ...OF_INFLUXDB, destination: 'influxdb' });
    },
  );

  test('leaves the permissions of a migration, which reads Timestream', () => {
    const parameters = { ...TO_INFLUXDB, DataBucketName: '*', MigrationDatabaseName: 'plant', KmsKeyId: KEY };
    expect(ofService('timestream', parameters, ROLE)).toEqual([]);
    expect(ofService('timestream', parameters, 'ExportRole')).not.toEqual([]);
    expect(ofService('kms', parameters, 'ExportRole')).not.toEqual([]);
  });
});

describe('Destination both', () => {
  test('gives the write function the variables of both', () => {
    const expected = { ...ALWAYS, ...OF_TIMESTREAM, ...OF_INFLUXDB, ...OF_BOTH, destination: 'both' };
    expect(variables(TO_BOTH)).toEqual(expected);
  });

  test.each(COMBINED)('permits what timestream and influxdb permit with %p', (combined) => {
    const ofBoth = permissions({ ...combined, ...TO_BOTH }, ROLE);
    const ofTimestream = permissions({ ...combined, ...INFLUXDB, Destination: 'timestream' }, ROLE);
    const ofInfluxdb = permissions({ ...combined, ...TO_INFLUXDB }, ROLE);
    expect(ofBoth.sort()).toEqual([...new Set([...ofTimestream, ...ofInfluxdb])].sort());
  });
});

describe.each([TO_INFLUXDB, TO_BOTH])('with $Destination', (parameters) => {
  test('the write function may read the token of InfluxDB and no other secret', () => {
    for (const combined of COMBINED) {
      expect(ofService('secretsmanager', { ...combined, ...parameters }, ROLE)).toEqual([READ_TOKEN]);
    }
  });

  test.each([
    ['BucketMapping', 'bucket_mapping', 'passthrough'],
    ['OrgMapping', 'org_mapping', 'plant=factory'],
  ])('%s sets %s', (parameter, variable, value) => {
    expect(variables({ ...parameters, [parameter]: value })[variable]).toBe(value);
  });

  test('the write function joins the VPC', () => {
    const { VpcConfig } = propertiesOf('WriteLineProtocolFunction', { ...parameters, ...VPC });
    expect(VpcConfig).toEqual({ SubnetIds: ['subnet-0a'], SecurityGroupIds: ['sg-0a'] });
    expect(propertiesOf(ROLE, { ...parameters, ...VPC }).ManagedPolicyArns).toEqual([
      expect.stringMatching(/:policy\/service-role\/AWSLambdaENIManagementAccess$/),
    ]);
  });

  test('the loader is there with DataBucketName only', () => {
    const added = (overrides: Overrides): string[] =>
      Object.keys(resourcesWith(overrides)).filter((name) => !(name in resourcesWith()));
    expect(added(parameters)).toEqual([]);
    const loader = { ...parameters, DataBucketName: 'energy' };
    expect(added(loader).sort()).toEqual(added(LOADER).sort());
    expect(resourcesWith(loader)).toHaveProperty('LoadBatchFunction');
  });
});

describe('SecondaryRequired false', () => {
  const OPTIONAL = { ...TO_BOTH, SecondaryRequired: 'false' };

  test.each(['false', 'true'])('keeps dead-letter messages, with EnableAsyncInvocation %s', (asynchronous) => {
    const parameters = { ...OPTIONAL, EnableAsyncInvocation: asynchronous };
    expect(variables(parameters)).toMatchObject({
      secondary_required: 'false',
      enable_async_invocation: asynchronous,
      dead_letter_queue_url: '<LambdaDeadLetterQueue>',
    });
    expect(ofService('sqs', parameters, ROLE)).toEqual(['sqs:SendMessage <LambdaDeadLetterQueue.Arn>']);
  });

  test('replays them by the redrive', () => {
    const redrive = at(propertiesOf('RedriveDeadLettersFunction', OPTIONAL), 'Environment', 'Variables');
    expect(redrive).toMatchObject({
      DEAD_LETTER_QUEUE_URL: '<LambdaDeadLetterQueue>',
      WRITE_FUNCTION_NAME: '<WriteLineProtocolFunction>',
    });
    expect(ofService('lambda', OPTIONAL, 'RedriveDeadLettersRole')).toEqual([
      'lambda:InvokeFunction <WriteLineProtocolFunction.Arn>',
    ]);
  });

  test('lets the write function use the key of an encrypted queue', () => {
    expect(permissions({ ...OPTIONAL, StackKmsKeyArn: KEY }, ROLE)).toContain(`kms:GenerateDataKey ${KEY}`);
  });
});

/** The configuration that the write function reads from its variables. */
function configuration(parameters: Overrides) {
  const environment = Object.entries(variables(parameters)).map(([name, value]) => [name, String(value)]);
  return loadConnectorConfig({ AWS_LAMBDA_FUNCTION_NAME: 'connector', ...Object.fromEntries(environment) });
}

test.each(COMBINED.flatMap((combined) => [TO_INFLUXDB, TO_BOTH].map((to) => ({ ...combined, ...to }))))(
  'the write function writes to the InfluxDB of the stack with %p',
  (parameters) => {
    expect(configuration(parameters)).toMatchObject({
      destination: parameters.Destination,
      influxdb: {
        target: { url: 'https://influxdb.example.com:8086', org: 'plant', bucket: 'metrics', engine: 'v3' },
        token: { secretName: 'influxdb/token' },
        buckets: { kind: 'configured' },
        orgs: { kind: 'configured' },
      },
      secondaryRequired: true,
    });
  },
);

test('the write function uses the choices for both destinations', () => {
  const choices = { SecondaryRequired: 'false', InfluxDBOnlyLines: 'names,sizes', BucketMapping: 'a=b' };
  expect(configuration({ ...TO_BOTH, ...choices, OrgMapping: 'passthrough' })).toMatchObject({
    secondaryRequired: false,
    influxdbOnly: new Set(['names', 'sizes']),
    influxdb: { buckets: { kind: 'listed', names: new Map([['a', 'b']]) }, orgs: { kind: 'passthrough' } },
  });
});

test('start refuses the options whose variables a stack with influxdb does not have', () => {
  const withInfluxDB = variables({ ...TO_INFLUXDB, ...TIMESTREAM_OPTIONS });
  const withBoth = Object.keys(variables({ ...TO_BOTH, ...TIMESTREAM_OPTIONS }));
  const left = withBoth.filter((name) => !(name in withInfluxDB) && name !== 'influxdb_only_lines');
  const options = Object.entries(CONNECTOR_SETTINGS).flatMap(([name, setting]) =>
    left.includes(name) ? [optionOf(name, setting)] : [],
  );
  // The stack has this limit beside those of every destination.
  expect(new Set(REFUSED_OPTIONS)).toEqual(new Set([...options, 'max-tags-and-fields']));
});

describe('values', () => {
  /** Whether the stack accepts a value. The write function has to accept it then. */
  const allows = (parameter: string, value: string): boolean => {
    const { AllowedPattern = '' } = template.Parameters[parameter] ?? {};
    const isAllowed = new RegExp(`^(?:${AllowedPattern})$`).test(value);
    if (isAllowed) configuration({ ...TO_BOTH, [parameter]: value });
    return isAllowed;
  };

  test.each(['BucketMapping', 'OrgMapping'])('%s is configured, passthrough or a map', (parameter) => {
    for (const value of ['configured', 'passthrough', 'a=b', 'my bucket=plant/autogen,telegraf=metrics']) {
      expect([value, allows(parameter, value)]).toEqual([value, true]);
    }
    for (const value of [
      '',
      'Configured',
      'metrics',
      'a=',
      '=b',
      'a=b,',
      'a=b,c',
      'a=b=c',
      'passthrough,a=b',
      ' =b',
      'a= ',
    ]) {
      expect([value, allows(parameter, value)]).toEqual([value, false]);
    }
  });

  test('InfluxDBOnlyLines is none, all or a list of classes', () => {
    for (const value of ['none', 'all', ...TIMESTREAM_LIMITS, TIMESTREAM_LIMITS.join(','), 'names,names']) {
      expect([value, allows('InfluxDBOnlyLines', value)]).toEqual([value, true]);
    }
    for (const value of ['', 'None', 'tags', 'no-tags,', 'no-tags, names', 'all,names', 'none,names']) {
      expect([value, allows('InfluxDBOnlyLines', value)]).toEqual([value, false]);
    }
  });

  test('InfluxDBOnlyLines accepts and describes the classes of the write function, and no other', () => {
    const {
      AllowedPattern = '',
      ConstraintDescription = '',
      Description,
    } = template.Parameters.InfluxDBOnlyLines ?? {};
    const inPattern = /^none\|all\|\(([^)]+)\)\(,\(([^)]+)\)\)\*$/.exec(AllowedPattern)?.slice(1);
    expect(inPattern?.map((classes) => classes.split('|'))).toEqual([[...TIMESTREAM_LIMITS], [...TIMESTREAM_LIMITS]]);
    const described = (text: unknown, [from, to]: [string, string]): string[] =>
      String(text)
        .split(from)[1]
        ?.split(to)[0]
        ?.split(/, | and /) ?? [];
    expect(described(ConstraintDescription, ['a list of ', ', separated'])).toEqual(TIMESTREAM_LIMITS);
    expect(described(Description, ['comma-separated ', '; or all'])).toEqual(TIMESTREAM_LIMITS);
  });
});
