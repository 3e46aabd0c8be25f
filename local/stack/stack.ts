/** Reads the outputs and parameters of a deployed stack. */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { assertAwsAccess } from '../cli/aws';
import { UsageError } from '../cli/ending';

export interface Stack {
  readonly name: string;
  /** Undefined if the stack does not have the output, such as outputs of the loader without DataBucketName. */
  output(name: string): string | undefined;
  parameter(name: string): string | undefined;
}

/** @throws UsageError if the stack does not exist; ConfigurationError without a region or credentials */
export async function describeStack(name: string, client = new CloudFormationClient({})): Promise<Stack> {
  await assertAwsAccess(client.config);
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: name })).catch((error: Error) => {
    if (error.name !== 'ValidationError') throw error;
    throw new UsageError(`--stack ${name}: ${error.message}. Check AWS_REGION and AWS_PROFILE`);
  });
  const { Outputs = [], Parameters = [] } = Stacks?.[0] ?? {};
  return {
    name,
    output: (key) => Outputs.find(({ OutputKey }) => OutputKey === key)?.OutputValue,
    parameter: (key) => Parameters.find(({ ParameterKey }) => ParameterKey === key)?.ParameterValue,
  };
}
