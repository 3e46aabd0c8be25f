/** Finds the workflows of a deployed stack, and starts and follows their executions. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { ObjectStore } from 'shared/loads/objects';
import { s3Objects } from '../../functions/clients/s3';
import { type Execution, type Executions, executionsOf } from '../../functions/clients/step-functions';
import { UsageError } from '../cli/ending';
import { describeStack } from './stack';

const POLL_MS = 2_000;

/** A workflow of a stack, and the objects of its executions. */
export interface RemoteWorkflow {
  readonly executions: Executions;
  readonly objects: ObjectStore;
  readonly workBucket: string;
}

/**
 * @param output the stack's output with the address of the workflow
 * @param lacking what a stack without this workflow lacks, and what to do
 * @throws UsageError if the stack does not exist or has no such workflow
 */
export async function remoteWorkflow(stackName: string, output: string, lacking: string): Promise<RemoteWorkflow> {
  const stack = await describeStack(stackName);
  const stateMachineArn = stack.output(output);
  const workBucket = stack.output('WorkBucketName');
  if (stateMachineArn === undefined || workBucket === undefined) {
    throw new UsageError(`the stack ${stackName} has no ${lacking}`);
  }
  return { executions: executionsOf(stateMachineArn, new SFNClient({})), objects: s3Objects(), workBucket };
}

/** Starts an execution. Returns its name. */
export async function startRemote(
  input: object,
  { executions }: Pick<RemoteWorkflow, 'executions'>,
  now: Date,
): Promise<string> {
  const name = `${now.toISOString().replace(/[:.]/g, '-')}-${randomBytes(3).toString('hex')}`;
  await executions.start(name, JSON.stringify(input));
  return name;
}

/**
 * Follows an execution to its end.
 * @param noun what the execution is, for messages
 * @param onPoll called before each decision whether the execution has ended
 * @returns undefined if the signal aborted; the execution itself continues
 * @throws UsageError if no execution has that name
 */
export async function followRemote(
  name: string,
  noun: 'load' | 'migration',
  executions: Executions,
  signal: AbortSignal,
  onPoll: (execution: Execution) => Promise<void>,
): Promise<Execution | undefined> {
  while (!signal.aborted) {
    const execution = await executions.describe(name);
    if (execution === undefined) throw new UsageError(`the ${noun} ${name} does not exist in this stack`);
    await onPoll(execution);
    if (execution.status !== 'RUNNING') return execution;
    await wait(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
