/** The parameters that add or remove resources, and combinations in which every pair of their values occurs. */

/** One value of a feature, and its effect on the stack, written by hand. */
export interface Choice {
  readonly is: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly resources?: readonly string[];
  /** Resources that only a stack with the loader has. */
  readonly ofLoader?: readonly string[];
  /** Resources that only a stack with the migration has. */
  readonly ofMigration?: readonly string[];
  /** Parameters that only a stack with the loader may have. */
  readonly parametersOfLoader?: Readonly<Record<string, string>>;
  /** Policies in the role of the write function. */
  readonly policies?: readonly string[];
  /** Variables of the write function. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What only a stack has whose write function writes to Timestream, or to InfluxDB. */
  readonly ofTimestream?: Pick<Choice, 'resources' | 'policies' | 'variables'>;
  readonly ofInfluxDB?: Pick<Choice, 'resources'>;
  /** MiniStack refuses this value. */
  readonly undeployable?: true;
}

const functionParts = (...names: string[]): string[] =>
  names.flatMap((name) => [`${name}Function`, `${name}LogGroup`, `${name}Role`]);

const ALWAYS: readonly string[] = [
  ...functionParts('WriteLineProtocol', 'RedriveDeadLetters'),
  'WriteLineProtocolFunctionEventInvokeConfig',
  'RedriveDeadLettersFunctionEventInvokeConfig',
  'SharedLayer',
  'LambdaDeadLetterQueue',
  'LambdaDeadLetterQueuePolicy',
  'ParkingQueue',
  'ParkingQueuePolicy',
  'ConnectorApi',
  'ConnectorApiDeployment',
  'ConnectorApiStage',
  'ConnectorApiPermission',
  'RestApiGatewayLogGroup',
];

const INFLUXDB = { InfluxDBUrl: 'http://influxdb.example:8086', InfluxDBTokenSecretName: 'influxdb/token' };

const LOADER: Choice = {
  is: 'yes',
  parameters: { ...INFLUXDB, DataBucketName: '*' },
  resources: [
    ...functionParts('DetectDataset', 'CheckInfluxDB', 'PlanLoad', 'LoadBatch', 'SummarizeLoad'),
    ...functionParts('LoadObject', 'StartLoad', 'DescribeLoad'),
    'LoadObjectFunctionEventInvokeConfig',
    'LoadObjectPermission',
    'StartLoadApiPermission',
    'DescribeLoadApiPermission',
    'CheckInfluxDBApiPermission',
    'BulkLoadStateMachine',
    'BulkLoadLogGroup',
    'BulkLoadRole',
    'BulkLoadMapPolicy',
    ...['FindFilesPolicy', 'ReadFilesPolicy', 'ReadWorkPolicy', 'WriteWorkPolicy', 'ReadTokenPolicy'],
    'ReadTableMappingsPolicy',
    ...['SendMetricsPolicy', 'DescribeLoadsPolicy'],
    'FailedLoadRule',
    'WorkBucket',
    'WorkBucketPolicy',
  ],
};

const MIGRATION: readonly string[] = [
  ...functionParts('Survey', 'Export', 'Load', 'RecordLoad', 'Verify', 'Report'),
  ...functionParts('StartMigration', 'DescribeMigration'),
  'StartMigrationApiPermission',
  'DescribeMigrationApiPermission',
  'MigrateStateMachine',
  'MigrateLogGroup',
  'MigrateRole',
  'MigrateMapPolicy',
  ...['KeepLedgerPolicy', 'ReadLedgerPolicy', 'DescribeMigrationsPolicy'],
  'FailedMigrationRule',
];

const alarms = (...names: string[]): string[] => names.map((name) => `${name}Alarm`);

const ALARMS = {
  connector: alarms(
    ...['WriteErrors', 'WriteThrottles', 'WriteDuration', 'ServerErrors', 'ClientErrors'],
    ...['DeadLetterMessages', 'ParkedMessages', 'DeadLetterAge', 'ParkedAge'],
  ),
  timestream: alarms('UnstoredPoints', 'TimestreamUserErrors', 'TimestreamSystemErrors'),
  influxdb: alarms('UnstoredInfluxDBPoints'),
  loader: alarms(
    ...['LoadsFailed', 'LoadsTimedOut', 'LoadsAborted', 'LoadDuration', 'LoadObjectErrors', 'LoadBatchThrottles'],
    ...['ConversionRate', 'ProcessingErrors'],
  ),
  migration: alarms(
    ...['MigrationsFailed', 'MigrationsTimedOut', 'MigrationsAborted', 'DifferingWindows', 'FailedWindows'],
  ),
};

export const NONE = '–';
const none: Choice = { is: NONE };
export const CIDRS = '10.0.0.0/8,192.0.2.0/24';
export const ENDPOINTS = 'vpce-0a1b,vpce-2c3d';
const KEY = 'arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const MULTI_TABLE = { table_mapping: 'multi-table', enable_table_creation: 'true' };

const WRITES_TO_TIMESTREAM = ['WriteRecords', 'DescribeDatabase'];
const OF_TIMESTREAM = { database_name: 'influxdb-line-protocol' };
const OF_INFLUXDB = {
  INFLUXDB_URL: INFLUXDB.InfluxDBUrl,
  INFLUXDB_ORG: 'ons-energy',
  INFLUXDB_BUCKET: 'energy_data',
  INFLUXDB_TOKEN_SECRET_NAME: INFLUXDB.InfluxDBTokenSecretName,
  INFLUXDB_ENGINE: 'v2',
  bucket_mapping: 'configured',
  org_mapping: 'configured',
};

/** The choices of each feature; the first one is the default. */
const FEATURES = {
  destination: [
    {
      is: 'timestream',
      policies: WRITES_TO_TIMESTREAM,
      variables: { destination: 'timestream', ...OF_TIMESTREAM },
    },
    {
      is: 'both',
      parameters: { ...INFLUXDB, Destination: 'both' },
      policies: [...WRITES_TO_TIMESTREAM, 'ReadInfluxDBToken'],
      variables: {
        destination: 'both',
        ...OF_TIMESTREAM,
        ...OF_INFLUXDB,
        secondary_required: 'true',
        influxdb_only_lines: 'none',
      },
    },
    {
      is: 'both, InfluxDB optional',
      parameters: {
        ...INFLUXDB,
        Destination: 'both',
        SecondaryRequired: 'false',
        InfluxDBOnlyLines: 'no-tags,names',
        BucketMapping: 'telegraf=metrics',
      },
      policies: [...WRITES_TO_TIMESTREAM, 'ReadInfluxDBToken'],
      variables: {
        destination: 'both',
        ...OF_TIMESTREAM,
        ...OF_INFLUXDB,
        bucket_mapping: 'telegraf=metrics',
        secondary_required: 'false',
        influxdb_only_lines: 'no-tags,names',
      },
    },
    {
      is: 'influxdb',
      parameters: { ...INFLUXDB, Destination: 'influxdb', OrgMapping: 'passthrough' },
      policies: ['ReadInfluxDBToken'],
      variables: { destination: 'influxdb', ...OF_INFLUXDB, org_mapping: 'passthrough' },
    },
  ],
  tables: [
    { is: 'multi-table', ofTimestream: { policies: ['CreateDatabase', 'CreateTable'], variables: MULTI_TABLE } },
    {
      is: 'single-table, created beforehand',
      parameters: { TableMapping: 'single-table', EnableDatabaseCreation: 'false', EnableTableCreation: 'false' },
      ofTimestream: { variables: { table_mapping: 'single-table', enable_table_creation: 'false' } },
    },
    {
      is: 'partitioned by a dimension',
      parameters: {
        CustomPartitionKeyType: 'dimension',
        CustomPartitionKeyDimension: 'host',
        EnforceCustomPartitionKey: 'true',
      },
      ofTimestream: {
        policies: ['CreateDatabase', 'CreateTable'],
        variables: {
          ...MULTI_TABLE,
          custom_partition_key_type: 'dimension',
          custom_partition_key_dimension: 'host',
          enforce_custom_partition_key: 'true',
        },
      },
    },
    {
      is: 'partitioned by measure, with key and tags',
      parameters: { CustomPartitionKeyType: 'measure', KmsKeyId: KEY, ResourceTags: 'team=data' },
      ofTimestream: {
        policies: ['CreateDatabase', 'CreateTable', 'UseDatabaseKey'],
        variables: {
          ...MULTI_TABLE,
          custom_partition_key_type: 'measure',
          kms_key_id: KEY,
          resource_tags: 'team=data',
        },
      },
    },
  ],
  loader: [
    none,
    LOADER,
    { ...LOADER, is: 'reserved', parameters: { ...LOADER.parameters, LoaderReservedConcurrency: '5' } },
  ],
  VPC: [none, { is: 'yes', parameters: { VpcSubnetIds: 'subnet-0a,subnet-0b', VpcSecurityGroupIds: 'sg-0a' } }],
  network: [
    { is: 'open' },
    { is: 'AllowedCidrs', parameters: { AllowedCidrs: CIDRS } },
    { is: 'PRIVATE', parameters: { EndpointType: 'PRIVATE', AllowedVpcEndpointIds: ENDPOINTS } },
  ],
  authorization: [
    { is: 'IAM' },
    {
      is: 'TOKEN',
      parameters: { AuthMode: 'TOKEN', TokenSecretName: 'connector/tokens' },
      resources: [...functionParts('AuthorizeToken'), 'AuthorizeTokenApiPermission'],
    },
  ],
  writes: [
    { is: 'synchronous', variables: { enable_async_invocation: 'false' } },
    {
      is: 'asynchronous',
      parameters: { EnableAsyncInvocation: 'true' },
      policies: ['InvokeItself'],
      variables: { enable_async_invocation: 'true' },
    },
  ],
  'new objects': [
    none,
    { is: 'loaded', parametersOfLoader: { DataBucketName: 'energy' }, ofLoader: ['NewObjectRule', 'NewObjectRole'] },
  ],
  migration: [
    none,
    {
      is: 'of one database',
      parametersOfLoader: { MigrationDatabaseName: 'plant' },
      ofLoader: [...MIGRATION, 'ReadWorkExportsPolicy'],
    },
    {
      is: 'of all, exports elsewhere',
      parametersOfLoader: { MigrationDatabaseName: '*', ExportBucketName: 'exports' },
      ofLoader: [...MIGRATION, 'ReadExportsPolicy', 'FindExportsPolicy'],
    },
  ],
  'object queue': [
    none,
    {
      is: 'read',
      parametersOfLoader: { ObjectQueueArn: 'arn:aws:sqs:us-east-1:000000000000:objects' },
      ofLoader: ['LoadObjectQueueMapping'],
    },
  ],
  'rejected lines': [
    none,
    {
      is: 'in a bucket',
      parameters: { RejectedLinesBucket: 'rejected-lines' },
      policies: ['KeepRejectedLines'],
      variables: { rejected_lines_bucket: 'rejected-lines' },
    },
  ],
  redrive: [
    { is: 'by hand' },
    {
      is: 'hourly',
      parameters: { RedriveSchedule: 'rate(1 hour)' },
      resources: ['RedriveRule', 'RedriveRulePermission'],
    },
  ],
  '/ping': [{ is: 'authorized' }, { is: 'public', parameters: { PublicHealth: 'true' } }],
  browsers: [
    none,
    {
      is: 'of one origin',
      parameters: { CorsAllowedOrigins: 'https://app.example' },
      variables: { cors_allowed_origins: 'https://app.example' },
    },
  ],
  'key of queues, logs, work bucket': [
    { is: "AWS's" },
    {
      is: 'StackKmsKeyArn',
      parameters: { StackKmsKeyArn: KEY },
      resources: ['UseStackKeyPolicy'],
      policies: ['UseStackKey'],
    },
  ],
  'role for logs': [
    { is: 'set', resources: ['RestApiGatewayLogAccount', 'RestApiGatewayLogsRole'] },
    { is: 'left', parameters: { CreateApiGatewayAccountRole: 'false' } },
  ],
  dashboard: [none, { is: 'yes', parameters: { CreateDashboard: 'true' }, resources: ['Dashboard'] }],
  alarms: [
    none,
    {
      is: 'of a topic',
      parameters: { AlarmTopicArn: 'arn:aws:sns:us-east-1:000000000000:operators' },
      resources: ALARMS.connector,
      ofTimestream: { resources: ALARMS.timestream },
      ofInfluxDB: { resources: ALARMS.influxdb },
      ofLoader: ALARMS.loader,
      ofMigration: ALARMS.migration,
    },
  ],
  metrics: [
    {
      is: 'yes',
      variables: { metrics_namespace: 'ONS/InfluxDB' },
      ofTimestream: { variables: { metrics_per_table: 'false' } },
    },
    {
      is: 'of each table',
      parameters: { MetricsPerTable: 'true', MetricsNamespace: 'Mine' },
      variables: { metrics_namespace: 'Mine' },
      ofTimestream: { variables: { metrics_per_table: 'true' } },
    },
  ],
  traces: [
    none,
    {
      is: 'X-Ray',
      parameters: { EnableTracing: 'true' },
      variables: { ENABLE_TRACING: 'true' },
    },
  ],
  'web ACL': [
    none,
    {
      is: 'yes',
      parameters: { WebAclArn: 'arn:aws:wafv2:us-east-1:000000000000:regional/webacl/mine/1234abcd' },
      resources: ['ConnectorApiWebAcl'],
      undeployable: true,
    },
  ],
} as const satisfies Record<string, readonly Choice[]>;

export type Feature = keyof typeof FEATURES;
export const FEATURE_NAMES = Object.keys(FEATURES) as Feature[];

export interface Combination {
  readonly number: number;
  readonly choices: Readonly<Record<Feature, Choice>>;
  readonly parameters: Readonly<Record<string, string>>;
  /** Logical ids, sorted, without the hashes that SAM appends to some. */
  readonly resources: readonly string[];
  /** Policies of the write function's role, sorted. */
  readonly policies: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** The combinations of all values, or of the values that MiniStack can deploy. */
export function combinations({ deployable }: { readonly deployable: boolean }): Combination[] {
  const features = FEATURE_NAMES.map((name): readonly Choice[] =>
    FEATURES[name].filter((choice: Choice) => !(deployable && choice.undeployable)),
  );
  return allPairs(features.map(({ length }) => length)).map((row, index) => {
    const chosen = row.flatMap((choice, feature) => features[feature]?.[choice] ?? []);
    const loader = chosen.some(({ resources }) => resources === LOADER.resources);
    const migration = loader && chosen.some(({ ofLoader }) => ofLoader?.includes('MigrateStateMachine'));
    const writesToTimestream = chosen.some(({ policies }) => policies?.includes('WriteRecords'));
    const writesToInfluxDB = chosen.some(({ policies }) => policies?.includes('ReadInfluxDBToken'));
    const resources = chosen.flatMap(
      ({ resources = [], ofLoader = [], ofMigration = [], ofTimestream, ofInfluxDB }) => [
        ...resources,
        ...(loader ? ofLoader : []),
        ...(migration ? ofMigration : []),
        ...(writesToTimestream ? (ofTimestream?.resources ?? []) : []),
        ...(writesToInfluxDB ? (ofInfluxDB?.resources ?? []) : []),
      ],
    );
    const ofWriter = chosen.flatMap((choice) => [choice, ...(writesToTimestream ? [choice.ofTimestream ?? {}] : [])]);
    return {
      number: index + 1,
      choices: Object.fromEntries(chosen.map((choice, feature) => [FEATURE_NAMES[feature], choice])) as Record<
        Feature,
        Choice
      >,
      parameters: Object.assign(
        {},
        ...chosen.map(({ parameters }) => parameters),
        ...(loader ? chosen.map(({ parametersOfLoader }) => parametersOfLoader) : []),
      ),
      resources: [...ALWAYS, ...resources].sort(),
      policies: ['Log', 'SendDeadLetters', ...ofWriter.flatMap(({ policies }) => policies ?? [])].sort(),
      variables: Object.assign({}, ...ofWriter.map(({ variables }) => variables)),
    };
  });
}

/** Logical ids in the form of `Combination.resources`. */
export const withoutHashes = (ids: readonly string[]): string[] =>
  ids.map((id) => id.replace(/^(SharedLayer|ConnectorApiDeployment)[0-9a-f]+$/, '$1')).sort();

/** All variables of the write function that a choice may set. */
export const VARIABLES = FEATURE_NAMES.flatMap((name) =>
  FEATURES[name].flatMap(({ variables, ofTimestream }: Choice) =>
    Object.keys({ ...variables, ...ofTimestream?.variables }),
  ),
);

/** The columns of a combination in a table. */
export const choicesOf = ({ choices }: Combination): string[] => FEATURE_NAMES.map((name) => choices[name].is);

/**
 * Rows with one value per feature, so that every pair of values of two features occurs in a row. Each row begins with the first missing
 * pair. For each other feature it takes the value that adds the most missing pairs.
 */
export function allPairs(sizes: readonly number[]): number[][] {
  const pair = (f: number, a: number, g: number, b: number): string =>
    f < g ? `${f}:${a} ${g}:${b}` : `${g}:${b} ${f}:${a}`;
  const missing = new Map<string, readonly [number, number, number, number]>();
  for (const [f, size] of sizes.entries())
    for (let g = f + 1; g < sizes.length; g++)
      for (let a = 0; a < size; a++)
        for (let b = 0; b < (sizes[g] ?? 0); b++) missing.set(pair(f, a, g, b), [f, a, g, b]);

  const rows: number[][] = [];
  for (let first = missing.values().next(); !first.done; first = missing.values().next()) {
    const [f, a, g, b] = first.value;
    const row = new Map([
      [f, a],
      [g, b],
    ]);
    for (const [feature, size] of sizes.entries()) {
      if (row.has(feature)) continue;
      const gains = Array.from(
        { length: size },
        (_, value) => [...row].filter(([other, chosen]) => missing.has(pair(other, chosen, feature, value))).length,
      );
      row.set(feature, gains.indexOf(Math.max(...gains)));
    }
    for (const [one, chosen] of row) for (const [other, value] of row) missing.delete(pair(one, chosen, other, value));
    rows.push(sizes.map((_, feature) => row.get(feature) ?? 0));
  }
  return rows;
}
