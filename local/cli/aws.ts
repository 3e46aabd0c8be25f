/** Checks that a region and credentials are available before the program calls AWS. */
import { ConfigurationError } from 'shared/errors';

/** The configuration of an SDK client. */
interface ClientConfig {
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<unknown>;
}

/** @throws ConfigurationError if the SDK finds no region or no credentials; it names the variables to set */
export async function assertAwsAccess({ region, credentials }: ClientConfig): Promise<void> {
  const failures = await Promise.all([
    found(region(), 'no AWS region is set: set AWS_REGION'),
    found(
      credentials(),
      'no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with the AWS CLI',
    ),
  ]);
  const problems = failures.filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** Undefined if the value is available, else the problem with the SDK's reason. */
async function found(value: Promise<unknown>, problem: string): Promise<string | undefined> {
  try {
    await value;
    return undefined;
  } catch (error) {
    return `${problem} (${(error as Error).message})`;
  }
}
