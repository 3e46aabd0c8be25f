import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OLD_LOADER_DEFAULTS, ORIGINAL_DEFAULTS } from '../../support/originals';
import { brokenRules, LOADER, TOKENS, template } from './template';

const { ParameterGroups: GROUPS, ParameterLabels: LABELS } = template.Metadata['AWS::CloudFormation::Interface'];

describe('parameters', () => {
  test('the groups name no other parameter, and a label begins with the name that it replaces', () => {
    const unknown = GROUPS.flatMap(({ Parameters }) => Parameters).filter((name) => !(name in template.Parameters));
    expect(unknown).toEqual([]);
    for (const [name, { default: label }] of Object.entries(LABELS)) {
      expect(template.Parameters).toHaveProperty(name);
      expect(label).toMatch(new RegExp(`^${name} \\(.+\\)$`));
    }
  });

  test.each(Object.entries(ORIGINAL_DEFAULTS))('%s has the default of the original connector, %p', (name, expected) => {
    expect(template.Parameters[name]?.Default).toBe(expected);
  });

  test('two defaults differ from the original on purpose: see docs/adr', () => {
    expect(template.Parameters.EnableAsyncInvocation?.Default).toBe('false');
    expect(template.Parameters.RestApiGatewayTimeoutInMillis?.Default).toBe(29000);
  });

  test('an integration timeout above 29 s is possible, for accounts with a raised quota', () => {
    expect(template.Parameters.RestApiGatewayTimeoutInMillis?.MaxValue).toBeUndefined();
  });

  test.each(Object.entries(OLD_LOADER_DEFAULTS))('%s has the default of the old loader, %p', (name, expected) => {
    expect(template.Parameters[name]?.Default).toBe(expected);
  });

  describe.each(Object.entries(template.Parameters))('%s', (name, parameter) => {
    test('has a description and a default that its own constraints allow', () => {
      const { AllowedValues, AllowedPattern, MinValue = -Infinity, MaxValue = Infinity } = parameter;
      const value = parameter.Default;
      expect(parameter.Description).toMatch(/\.$/);
      if (AllowedValues) expect(AllowedValues).toContain(value);
      if (AllowedPattern) expect(value).toMatch(new RegExp(`^(?:${AllowedPattern})$`));
      if (parameter.Type === 'Number') {
        expect(value).toBeGreaterThanOrEqual(MinValue);
        expect(value).toBeLessThanOrEqual(MaxValue);
      }
    });

    test('is constrained: a number by its values or a minimum, a text by its values, pattern or length', () => {
      const own = parameter.Type === 'Number' ? ['MinValue'] : ['AllowedPattern', 'MinLength'];
      const constraints = ['AllowedValues', ...own];
      expect(constraints.some((constraint) => constraint in parameter)).toBe(true);
    });

    test('is in one group of the console', () => {
      expect(GROUPS.flatMap(({ Parameters }) => Parameters).filter((member) => member === name)).toHaveLength(1);
    });

    test('is used', () => {
      const { Conditions, Resources } = template;
      expect(JSON.stringify({ Conditions, Resources })).toMatch(new RegExp(`"Ref":"${name}"|\\$\\{${name}\\}`));
    });
  });
});

test.each([
  ['', true],
  ['*', true],
  ['https://app.example.com', true],
  ['http://localhost:3000,https://app.example.com', true],
  // A path is no part of an origin, and a quote would end the header's value.
  ['https://app.example.com/', false],
  ["https://app.example.com'", false],
  ['app.example.com', false],
  ['*,https://app.example.com', false],
])('CorsAllowedOrigins may be %j: %p', (origins, isAllowed) => {
  const { AllowedPattern = '' } = template.Parameters.CorsAllowedOrigins ?? {};
  expect(new RegExp(`^(?:${AllowedPattern})$`).test(origins)).toBe(isAllowed);
});

test('the application repository shows the version and the license of the package', () => {
  const { version, license } = JSON.parse(readFileSync(join(__dirname, '../../../package.json'), 'utf8'));
  const published = template.Metadata['AWS::ServerlessRepo::Application'];
  expect([published.SemanticVersion, published.SpdxLicenseId]).toEqual([version, license]);
  for (const file of [published.LicenseUrl, published.ReadmeUrl]) {
    expect(existsSync(join(__dirname, '../../..', file))).toBe(true);
  }
});

describe('rules', () => {
  const { DataBucketName: _, ...INFLUXDB } = LOADER;
  const BOTH = { ...INFLUXDB, Destination: 'both' };
  const DIMENSION = { CustomPartitionKeyType: 'dimension', CustomPartitionKeyDimension: 'host' };

  test.each([
    {},
    DIMENSION,
    { ...DIMENSION, EnforceCustomPartitionKey: 'true' },
    { CustomPartitionKeyType: 'measure', EnforceCustomPartitionKey: 'false' },
    { RejectedLinesBucket: 'rejected-lines' },
    TOKENS,
    { EndpointType: 'PRIVATE', AllowedVpcEndpointIds: 'vpce-0a,vpce-0b', AllowedCidrs: '10.0.0.0/8' },
    LOADER,
    { ...LOADER, DataBucketName: '*' },
    BOTH,
    { ...BOTH, Destination: 'influxdb' },
    { ...LOADER, Destination: 'influxdb' },
    { ...BOTH, SecondaryRequired: 'false', InfluxDBOnlyLines: 'all', BucketMapping: 'a=b', OrgMapping: 'passthrough' },
    // The last step of a cut-over changes Destination alone.
    { ...BOTH, Destination: 'influxdb', InfluxDBOnlyLines: 'all', BucketMapping: 'a=b', KmsKeyId: 'arn:key' },
    // And the way back to Timestream leaves them.
    {
      ...BOTH,
      InfluxDBUrl: '',
      Destination: 'timestream',
      InfluxDBOnlyLines: 'all',
      BucketMapping: 'a=b',
      OrgMapping: 'a=b',
    },
    { VpcSubnetIds: 'subnet-0a', VpcSecurityGroupIds: 'sg-0a' },
  ])('allow %p', (parameters) => {
    expect(brokenRules(parameters)).toEqual([]);
  });

  test.each([
    [{ CustomPartitionKeyType: 'dimension' }, 'needs CustomPartitionKeyDimension'],
    [{ CustomPartitionKeyDimension: 'host' }, 'needs CustomPartitionKeyType dimension'],
    [{ ...DIMENSION, CustomPartitionKeyType: 'measure' }, 'needs CustomPartitionKeyType dimension'],
    [{ EnforceCustomPartitionKey: 'true' }, 'needs CustomPartitionKeyType dimension'],
    [{ AuthMode: 'TOKEN' }, 'needs TokenSecretName'],
    [{ TokenSecretName: 'connector/tokens' }, 'needs AuthMode TOKEN'],
    [{ EndpointType: 'PRIVATE' }, 'needs AllowedVpcEndpointIds'],
    [{ AllowedVpcEndpointIds: 'vpce-0a' }, 'needs EndpointType PRIVATE'],
    [{ ...LOADER, InfluxDBTokenSecretName: '' }, 'needs InfluxDBTokenSecretName'],
    [{ ...LOADER, DataBucketName: '' }, 'needs DataBucketName'],
    [{ Destination: 'both' }, 'need InfluxDBUrl and InfluxDBTokenSecretName'],
    [{ Destination: 'influxdb' }, 'need InfluxDBUrl and InfluxDBTokenSecretName'],
    [{ ...BOTH, InfluxDBUrl: '' }, 'need InfluxDBUrl'],
    [{ ...BOTH, InfluxDBTokenSecretName: '' }, 'needs InfluxDBTokenSecretName'],
    [{ ...BOTH, Destination: 'influxdb', InfluxDBTokenSecretName: '' }, 'needs InfluxDBTokenSecretName'],
    [{ ...BOTH, Destination: 'timestream' }, 'set Destination to both or influxdb'],
    [{ SecondaryRequired: 'false' }, 'Set Destination to both, or SecondaryRequired to true'],
    [{ ...BOTH, Destination: 'influxdb', SecondaryRequired: 'false' }, 'needs Destination both'],
    [{ ...BOTH, ExportBucketName: 'exports' }, 'needs InfluxDBUrl and DataBucketName'],
    [{ ...BOTH, MigrationDatabaseName: 'plant' }, 'needs InfluxDBUrl and DataBucketName'],
    [{ DataBucketName: 'energy' }, 'needs InfluxDBUrl'],
    [{ ObjectQueueArn: 'arn:aws:sqs:us-east-1:123456789012:objects' }, 'needs InfluxDBUrl'],
    [{ DatasetMappings: 's3://configuration/datasets.json' }, 'needs InfluxDBUrl'],
    [{ MaxBatchSize: '5000' }, 'needs InfluxDBUrl'],
    [{ ...LOADER, VpcSubnetIds: 'subnet-0a' }, 'needs VpcSecurityGroupIds'],
    [{ ...LOADER, VpcSecurityGroupIds: 'sg-0a' }, 'needs VpcSubnetIds'],
  ])('refuse %p', (parameters: Record<string, string>, reason) => {
    expect(brokenRules(parameters)).toEqual([expect.stringContaining(reason)]);
  });
});
