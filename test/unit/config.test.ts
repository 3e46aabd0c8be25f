/** The configuration of the connector: each variable, all problems in one error, and the same defaults as the stack. */
import { type ConnectorConfig, loadConnectorConfig } from 'shared/config';
import { ConfigurationError } from 'shared/errors';
import { loadRedriveConfig } from 'shared/redrive-config';
import { TABLES } from '../support/connector-tables';
import { at, type Fields, resourcesWith, template } from './stack/template';

/** The problems in the error for an invalid configuration. */
function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConnectorConfig(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

const INTEGERS: Record<string, [min: number, max: number]> = {
  max_compressed_bytes: [0, 104_857_600],
  max_decompressed_bytes: [0, 268_435_456],
  max_line_bytes: [64, 26_214_400],
  max_lines: [0, 10_000_000],
  max_tags_and_fields: [0, 10_000_000],
  max_new_tables: [1, 50_000],
  mem_store_retention_period: [1, 8_766],
  mag_store_retention_period: [1, 73_000],
  write_deadline_millis: [100, 900_000],
  rest_api_gateway_timeout_in_millis: [1_100, 900_000],
};
const BOOLEANS = [
  'enable_database_creation',
  'enable_table_creation',
  'enable_mag_store_writes',
  'enable_async_invocation',
  'enforce_custom_partition_key',
  'escape_names',
  'metrics_per_table',
];
const TEXTS = [
  'region',
  'database_name',
  'single_table_name',
  'measure_name_for_multi_measure_records',
  'table_mapping',
  'default_dimension',
  'suffixed_fields',
  'custom_partition_key_type',
  'custom_partition_key_dimension',
  'kms_key_id',
  'resource_tags',
  'log_level',
  'dead_letter_queue_url',
  'rejected_lines_bucket',
  'metrics_namespace',
  'AWS_ENDPOINT_URL_TIMESTREAM_WRITE',
];

describe('defaults', () => {
  test('apply without any variable', () => {
    expect(loadConnectorConfig({})).toEqual({
      region: 'us-east-1',
      timestreamEndpoint: undefined,
      mapping: {
        singleTable: undefined,
        measureName: 'influxdb-measure',
        defaultDimension: undefined,
        requiredDimension: undefined,
        escapeNames: false,
        suffixedFields: [{ measurement: 'system', field: 'type' }],
      },
      tables: TABLES,
      destination: 'timestream',
      influxdb: undefined,
      secondaryRequired: true,
      influxdbOnly: new Set(),
      bounds: {
        maxCompressedBytes: 10 * 1024 ** 2,
        maxDecompressedBytes: 25 * 1024 ** 2,
        maxLineBytes: 64 * 1024,
        maxLines: 100_000,
        maxTagsAndFields: 100_000,
        maxNewTables: 100,
      },
      writeDeadlineMs: 4_500,
      asynchronous: false,
      functionName: undefined,
      deadLetterQueueUrl: undefined,
      rejectedLinesBucket: undefined,
      corsAllowedOrigins: [],
      metrics: undefined,
      logLevel: 'INFO',
    } satisfies ConnectorConfig);
  });

  const variables = (parameters: Record<string, string> = {}) => {
    const { Properties } = resourcesWith(parameters).WriteLineProtocolFunction ?? {};
    return at(Properties, 'Environment', 'Variables') as Fields;
  };
  const fromStack = (parameters: Record<string, string> = {}): ConnectorConfig => {
    const environment = Object.entries(variables(parameters)).map(([name, value]) => [name, String(value)]);
    return loadConnectorConfig({ AWS_LAMBDA_FUNCTION_NAME: 'connector', ...Object.fromEntries(environment) });
  };

  test('equal those of the stack', () => {
    const ofLambda = {
      functionName: 'connector',
      deadLetterQueueUrl: '<LambdaDeadLetterQueue>',
      metrics: { namespace: 'ONS/InfluxDB', perTable: false },
    };
    expect(fromStack()).toEqual({ ...loadConnectorConfig({}), ...ofLambda });
  });

  const numbers = Object.entries(template.Parameters).filter(([name, { Type }]) => {
    return (
      Type === 'Number' &&
      JSON.stringify(template.Resources.WriteLineProtocolFunction?.Properties.Environment).includes(`"${name}"`)
    );
  });

  test.each(numbers)(
    'the function accepts the minimum and the maximum %s of the stack',
    (name, { MinValue, MaxValue }) => {
      for (const bound of [MinValue, MaxValue]) if (bound !== undefined) fromStack({ [name]: String(bound) });
    },
  );

  test('the stack has a minimum and a maximum for each number, except for the timeout that depends on a quota', () => {
    const open = numbers.filter(([, { MinValue, MaxValue }]) => MinValue === undefined || MaxValue === undefined);
    expect(open.map(([name]) => name)).toEqual(['RestApiGatewayTimeoutInMillis']);
  });
});

describe('limits that are not set', () => {
  test.each([
    [128, 2 * 1024 ** 2, 2 * 1024 ** 2, 19_200, 5_120],
    [256, 6 * 1024 ** 2, 6 * 1024 ** 2, 57_600, 15_360],
    [512, 10 * 1024 ** 2, 14 * 1024 ** 2, 100_000, 35_840],
    [1_769, 10 * 1024 ** 2, 25 * 1024 ** 2, 100_000, 100_000],
    [10_240, 10 * 1024 ** 2, 25 * 1024 ** 2, 100_000, 100_000],
  ])('are derived from the memory of a function of %i MB', (memory, compressed, decompressed, lines, tagsAndFields) => {
    expect(loadConnectorConfig({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memory) }).bounds).toMatchObject({
      maxCompressedBytes: compressed,
      maxDecompressedBytes: decompressed,
      maxLines: lines,
      maxTagsAndFields: tagsAndFields,
    });
  });

  test('may be 0, as the stack sets them; another value overrides the derived one', () => {
    const given = { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128', max_lines: '0', max_tags_and_fields: '50000' };
    expect(loadConnectorConfig(given).bounds).toMatchObject({ maxLines: 19_200, maxTagsAndFields: 50_000 });
  });
});

test('reads suffixed fields of one measurement, of all measurements, and none; a measurement may contain colons', () => {
  const fields = (text: string) => loadConnectorConfig({ suffixed_fields: text }).mapping.suffixedFields;
  expect(fields('a:b:type, state')).toEqual([
    { measurement: 'a:b', field: 'type' },
    { measurement: undefined, field: 'state' },
  ]);
  expect(fields('none')).toEqual([]);
  expect(() => fields('system:')).toThrow('suffixed_fields must be measurement:field');
});

describe('values', () => {
  test('are read for a partition key, a default dimension, tags and an endpoint', () => {
    const config = loadConnectorConfig({
      region: 'eu-west-1',
      AWS_REGION: 'us-west-2',
      custom_partition_key_type: 'dimension',
      custom_partition_key_dimension: 'host',
      enforce_custom_partition_key: 'TRUE',
      default_dimension: 'source=a=b',
      resource_tags: 'team=iot,cost centre=',
      kms_key_id: 'arn:aws:kms:eu-west-1:123456789012:key/1',
      AWS_ENDPOINT_URL_TIMESTREAM_WRITE: 'http://127.0.0.1:9001',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      table_mapping: 'single-table',
    });
    expect(config).toMatchObject({
      region: 'eu-west-1',
      timestreamEndpoint: 'http://127.0.0.1:9001',
      mapping: {
        singleTable: 'influxdb-measures',
        defaultDimension: { name: 'source', value: 'a=b' },
        requiredDimension: 'host',
      },
      tables: {
        partitionKey: { type: 'dimension', dimension: 'host', enforced: true },
        tags: [
          { Key: 'team', Value: 'iot' },
          { Key: 'cost centre', Value: '' },
        ],
        kmsKeyId: 'arn:aws:kms:eu-west-1:123456789012:key/1',
      },
    });
  });

  test('require no dimension if the partition key is not enforced', () => {
    const key = { custom_partition_key_type: 'dimension', custom_partition_key_dimension: 'host' };
    expect(loadConnectorConfig(key).mapping.requiredDimension).toBeUndefined();
    expect(loadConnectorConfig({ custom_partition_key_type: 'measure' }).tables.partitionKey).toEqual({
      type: 'measure',
    });
  });

  test('fall back to AWS_REGION and AWS_ENDPOINT_URL', () => {
    const config = loadConnectorConfig({ AWS_REGION: 'us-west-2', AWS_ENDPOINT_URL: 'http://localhost:1' });
    expect(config).toMatchObject({ region: 'us-west-2', timestreamEndpoint: 'http://localhost:1' });
  });

  test('set the deadline at least one second before the timeout of the API', () => {
    const deadline = (write: string, api: string) =>
      loadConnectorConfig({ write_deadline_millis: write, rest_api_gateway_timeout_in_millis: api }).writeDeadlineMs;
    expect(deadline('20000', '10000')).toBe(9_000);
    expect(deadline('5000', '10000')).toBe(5_000);
  });

  test('are read for asynchronous mode', () => {
    const environment = {
      enable_async_invocation: 'true',
      dead_letter_queue_url: 'https://sqs.us-east-1.amazonaws.com/123456789012/q',
      AWS_LAMBDA_FUNCTION_NAME: 'connector',
      rejected_lines_bucket: 'rejected-lines',
    };
    expect(loadConnectorConfig(environment)).toMatchObject({
      rejectedLinesBucket: 'rejected-lines',
      asynchronous: true,
      functionName: 'connector',
      deadLetterQueueUrl: environment.dead_letter_queue_url,
    });
  });

  test('cannot be changed', () => {
    expect(Object.isFrozen(loadConnectorConfig({}))).toBe(true);
  });
});

describe('cors_allowed_origins', () => {
  const originsOf = (cors_allowed_origins: string) => loadConnectorConfig({ cors_allowed_origins }).corsAllowedOrigins;

  test('can be origins separated by commas, or * for all origins', () => {
    const two = ['https://app.example', 'http://localhost:3000'];
    expect(originsOf('https://app.example, http://localhost:3000,')).toEqual(two);
    expect(originsOf('*')).toEqual(['*']);
  });

  // A browser sends scheme, host and port, but omits the default port of the scheme.
  test.each([
    'app.example',
    'https://app.example/',
    'https://app.example/a',
    'https://app.example:443',
    'https://APP.example',
    'null',
  ])('cannot be %s', (value) => {
    expect(problemsOf({ cors_allowed_origins: value })).toEqual([
      `cors_allowed_origins must be * or origins such as https://app.example, separated by commas, not '${value}'`,
    ]);
  });
});

describe('problems', () => {
  test.each([...Object.keys(INTEGERS), ...BOOLEANS, ...TEXTS])('include an empty %s', (name) => {
    for (const value of ['', '  '])
      expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(`^${name} is empty`)]);
  });

  test('do not include variables that sam local leaves empty', () => {
    expect(problemsOf({ AWS_SAM_LOCAL: 'true', default_dimension: '', max_line_bytes: '' })).toEqual([]);
    expect(problemsOf({ AWS_SAM_LOCAL: 'true', default_dimension: ' ' })).toEqual([
      expect.stringMatching(/^default_dimension is empty/),
    ]);
  });

  test.each(Object.entries(INTEGERS))(
    'include a %s that is not a whole number within its limits',
    (name, [min, max]) => {
      for (const value of [min, max]) expect(problemsOf({ [name]: String(value) })).toEqual([]);
      for (const value of [String(max + 1), String(min - 1), '1.5', '1e3', 'many', '0x10', ' 100']) {
        expect(problemsOf({ [name]: value })).toEqual([
          `${name} must be a whole number from ${min} to ${max}, not '${value}'`,
        ]);
      }
    },
  );

  test.each(BOOLEANS)('include a %s that is not true or false', (name) => {
    for (const value of ['yes', '1', 'truee']) {
      expect(problemsOf({ [name]: value })).toEqual([`${name} must be true or false, not '${value}'`]);
    }
    expect(problemsOf({ [name]: 'False' })).toEqual([]);
  });

  test.each([
    ['database_name', 'a b', 'is not a valid table name'],
    ['database_name', 'x'.repeat(257), 'longer than 256 bytes'],
    ['single_table_name', 'a/b', 'is not a valid table name'],
    ['measure_name_for_multi_measure_records', 'é'.repeat(129), 'longer than 256 bytes'],
    ['table_mapping', 'multi', 'must be one of multi-table, single-table'],
    ['log_level', 'info', 'must be one of DEBUG, INFO, WARN, ERROR'],
    ['default_dimension', 'source', "must be name=value, not 'source'"],
    ['default_dimension', '=x', 'must be name=value'],
    ['default_dimension', 'x=', 'must be name=value'],
    ['default_dimension', 'time=x', 'the name is reserved'],
    ['default_dimension', `x=${'y'.repeat(2_047)}`, 'is longer than 2,048 bytes'],
    ['resource_tags', 'team', 'must be key=value,key=value'],
    ['resource_tags', '=iot', 'must be key=value,key=value'],
    ['custom_partition_key_type', 'time', 'must be dimension or measure'],
    ['custom_partition_key_type', 'dimension', 'custom_partition_key_type=dimension needs it'],
    ['custom_partition_key_dimension', 'host', 'needs custom_partition_key_type=dimension'],
    ['enforce_custom_partition_key', 'true', 'needs custom_partition_key_type=dimension'],
    ['AWS_ENDPOINT_URL_TIMESTREAM_WRITE', 'localhost:9001', 'must be a URL with http or https'],
    ['AWS_ENDPOINT_URL_TIMESTREAM_WRITE', 'not a url', 'must be a URL with http or https'],
    ['enable_async_invocation', 'true', 'needs a Lambda function (AWS_LAMBDA_FUNCTION_NAME) and dead_letter_queue_url'],
  ])('include %s=%s', (name, value, problem) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    ['resource_tags', ' =iot'],
    ['measure_name_for_multi_measure_records', 'ts_x'],
    ['measure_name_for_multi_measure_records', 'time'],
  ])('include values that the service would refuse: %s=%s', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(name)]);
  });

  test.each(['a:b', 'ts_x', 'x'.repeat(61)])('include the partition key dimension %s', (dimension) => {
    const problems = problemsOf({ custom_partition_key_type: 'dimension', custom_partition_key_dimension: dimension });
    expect(problems).toEqual([expect.stringMatching(/^custom_partition_key_dimension cannot be used: /)]);
  });

  test('include a dimension for a partition key of type measure', () => {
    const measure = { custom_partition_key_type: 'measure' };
    expect(problemsOf({ ...measure, custom_partition_key_dimension: 'host' })).toHaveLength(1);
    expect(problemsOf({ ...measure, enforce_custom_partition_key: 'true' })).toHaveLength(1);
  });

  test('are all in one message', () => {
    const environment = { database_name: '', max_line_bytes: 'x', table_mapping: 'y', enable_table_creation: 'z' };
    expect(() => loadConnectorConfig(environment)).toThrow(
      new ConfigurationError([
        "table_mapping must be one of multi-table, single-table, not 'y'",
        'database_name is empty: give it a value or leave it unset',
        "enable_table_creation must be true or false, not 'z'",
        "max_line_bytes must be a whole number from 64 to 26214400, not 'x'",
      ]),
    );
  });
});

describe('the configuration of the redrive', () => {
  const REQUIRED = { DEAD_LETTER_QUEUE_URL: 'https://q', PARKING_QUEUE_URL: 'https://p', WRITE_FUNCTION_NAME: 'w' };

  test('has defaults that suit most queues', () => {
    expect(loadRedriveConfig(REQUIRED)).toEqual({
      queueUrl: 'https://q',
      parkingQueueUrl: 'https://p',
      writeFunction: 'w',
      loadObjectFunction: undefined,
      workflow: undefined,
      bounds: {
        messagesPerSecond: 5,
        maxMessages: 1_000,
        maxTries: 5,
        // The default is Lambda's maximum.
        timeoutsMs: { write: 900_000, object: 900_000 },
      },
      logLevel: 'INFO',
    });
  });

  test('requires the bucket of the summaries with a workflow', () => {
    const workflow = { STATE_MACHINE_ARN: 'arn:aws:states:r:1:stateMachine:m' };
    expect(() => loadRedriveConfig({ ...REQUIRED, ...workflow })).toThrow('WORK_BUCKET is missing');
    expect(loadRedriveConfig({ ...REQUIRED, ...workflow, WORK_BUCKET: 'work' }).workflow).toEqual({
      stateMachineArn: workflow.STATE_MACHINE_ARN,
      workBucket: 'work',
    });
  });

  test('reports all problems at once', () => {
    const wrong = { MESSAGES_PER_SECOND: '0', MAX_MESSAGES: 'all', MAX_TRIES: '-1', LOAD_OBJECT_FUNCTION_NAME: '' };
    const message = (environment: Record<string, string>): string => {
      try {
        return JSON.stringify(loadRedriveConfig(environment));
      } catch (error) {
        return String(error);
      }
    };
    for (const name of [...Object.keys(REQUIRED), ...Object.keys(wrong)]) expect(message(wrong)).toContain(name);
  });
});
