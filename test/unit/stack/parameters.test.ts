import { OLD_LOADER_DEFAULTS, ORIGINAL_DEFAULTS } from '../../support/originals';
import { brokenRules, LOADER, TOKENS, template } from './template';

describe('parameters', () => {
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

    test('is constrained: a number from below, a text by its values, pattern or length', () => {
      const constraints = parameter.Type === 'Number' ? ['MinValue'] : ['AllowedValues', 'AllowedPattern', 'MinLength'];
      expect(constraints.some((constraint) => constraint in parameter)).toBe(true);
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

describe('rules', () => {
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
    [{ InfluxDBTokenSecretName: 'influxdb/token' }, 'needs InfluxDBUrl'],
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
