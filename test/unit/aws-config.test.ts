/** What is read from the environment is what the SDK would use: compared with the SDK itself. */
import { TimestreamWriteClient } from '@aws-sdk/client-timestream-write';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import fc from 'fast-check';
import { environmentCredentials, hasStandardEndpoints } from 'shared/aws-config';

const NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_ACCOUNT_ID'] as const;
const maybe = (value: fc.Arbitrary<string>) => fc.option(value, { nil: undefined });
const someText = fc.constantFrom('', 'AKID', 'a/b+c=', 'ü');

/** Without files of this machine, and without a request to a metadata service. */
const NOWHERE = {
  AWS_CONFIG_FILE: '/nowhere/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
  AWS_EC2_METADATA_DISABLED: 'true',
};
const given = (environment: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));

const original = process.env;
afterEach(() => {
  process.env = original;
});

test('credentials are those that the SDK’s provider finds', async () => {
  const environments = fc.record(Object.fromEntries(NAMES.map((name) => [name, maybe(someText)])));
  await fc.assert(
    fc.asyncProperty(environments, async (environment) => {
      process.env = given({ ...NOWHERE, ...environment });
      const expected = await defaultProvider()().catch(() => undefined);
      const { accessKeyId, secretAccessKey, sessionToken } = expected ?? {};
      expect(environmentCredentials()).toEqual(expected && given({ accessKeyId, secretAccessKey, sessionToken }));
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['a profile', { AWS_PROFILE: 'work' }],
  ['a time at which they expire', { AWS_CREDENTIAL_EXPIRATION: '2030-01-01T00:00:00Z' }],
])('credentials with %s are left to the SDK', (_, more) => {
  const keys = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' };
  expect(environmentCredentials({ ...keys, ...more })).toBeUndefined();
  expect(environmentCredentials(keys)).toEqual({ accessKeyId: 'AKID', secretAccessKey: 'secret' });
});

/** The host that the SDK resolves for a call to Timestream in the region. */
async function sdkHost(region: string): Promise<string> {
  const client = new TimestreamWriteClient({ region });
  const { endpointProvider, useFipsEndpoint, useDualstackEndpoint } = client.config;
  const [UseFIPS, UseDualStack] = await Promise.all([useFipsEndpoint(), useDualstackEndpoint()]);
  return endpointProvider({ Region: region, UseFIPS, UseDualStack }).url.hostname;
}

const REGIONS = [
  'us-east-1',
  'us-west-2',
  'eu-central-1',
  'ap-southeast-2',
  'sa-east-1',
  'il-central-1',
  'mx-central-1',
];
const OTHER_REGIONS = [
  'us-gov-west-1',
  'cn-north-1',
  'us-iso-east-1',
  'us-isob-east-1',
  'eu-isoe-west-1',
  'eusc-de-east-1',
];
const VARIABLES = [{}, { AWS_USE_FIPS_ENDPOINT: 'true' }, { AWS_USE_DUALSTACK_ENDPOINT: 'true' }];

test.each([...REGIONS, ...OTHER_REGIONS])(
  'in %s an endpoint counts as standard only if it is the SDK’s',
  async (region) => {
    for (const variables of VARIABLES) {
      process.env = { HOME: '/nowhere', ...variables };
      if (hasStandardEndpoints(region)) expect(await sdkHost(region)).toBe(`ingest.timestream.${region}.amazonaws.com`);
    }
    process.env = {};
    expect(hasStandardEndpoints(region)).toBe(REGIONS.includes(region));
  },
);

test.each([
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_PROFILE',
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_USE_DUALSTACK_ENDPOINT',
])('with %s the SDK decides about the endpoint', (name) =>
  expect(hasStandardEndpoints('us-east-1', { [name]: 'false' })).toBe(false),
);
