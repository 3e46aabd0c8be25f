/** What a deployed stack says of itself. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { assertAwsAccess } from '../cli/aws';
import { UsageError } from '../cli/ending';

export interface Stack {
  readonly name: string;
  /** Undefined where the stack has no such output, as those of the loader without InfluxDBUrl. */
  output(name: string): string | undefined;
  parameter(name: string): string | undefined;
}

/** @throws UsageError where there is no such stack; ConfigurationError without a region or credentials */
export async function describeStack(name: string, client = new CloudFormationClient({})): Promise<Stack> {
  await assertAwsAccess(client.config);
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name })).catch((error: Error) => {
    if (error.name !== 'ValidationError') throw error;
    throw new UsageError(`--stack ${name}: ${error.message}. AWS_REGION or AWS_PROFILE may name another place`);
  });
  const { Outputs = [], Parameters = [] } = Stacks?.[0] ?? {};
  return {
    name,
    output: (key) => Outputs.find(({ OutputKey }) => OutputKey === key)?.OutputValue,
    parameter: (key) => Parameters.find(({ ParameterKey }) => ParameterKey === key)?.ParameterValue,
  };
}
