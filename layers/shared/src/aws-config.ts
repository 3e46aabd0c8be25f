/** What the environment says about calls to AWS, where the SDK would find the same. */
import type { Environment } from './environment';

export interface EnvironmentCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * The credentials in the environment; undefined if the SDK's provider would find others, or would replace them when they expire.
 * Source: the default provider of `@aws-sdk/credential-provider-node`, which reads these variables first unless there is a profile.
 */
export function environmentCredentials(environment: Environment = process.env): EnvironmentCredentials | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = environment;
  if (!accessKeyId || !secretAccessKey) return undefined;
  if (environment.AWS_PROFILE || environment.AWS_CREDENTIAL_EXPIRATION) return undefined;
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) };
}

/** The regions whose host names end in amazonaws.com. Source: the partition `aws` in the endpoint rules of the SDK. */
const COMMERCIAL_REGION = /^(?:us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/;
/** With these variables the SDK may use other endpoints. */
const ENDPOINT_VARIABLES = [
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_PROFILE',
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_USE_DUALSTACK_ENDPOINT',
];

/** Whether the SDK's endpoints in the region are `<service>.<region>.amazonaws.com`, for a process without configuration files. */
export function hasStandardEndpoints(region: string, environment: Environment = process.env): boolean {
  return COMMERCIAL_REGION.test(region) && ENDPOINT_VARIABLES.every((name) => environment[name] === undefined);
}
