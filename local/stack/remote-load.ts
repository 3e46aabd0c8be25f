/** Follows loads of the workflow of a deployed stack. */
import { SFNClient } from '@aws-sdk/client-sfn';
import { readCause } from 'shared/loads/map-results';
import { type ObjectStore, readText } from 'shared/loads/objects';
import type { Summary } from 'shared/loads/summary';
import { workKey } from 'shared/loads/work-keys';
import { s3Objects } from '../../functions/clients/s3';
import { type Executions, executionsOf } from '../../functions/clients/step-functions';
import { UsageError } from '../cli/ending';
import type { Progress } from '../loader/progress';
import { followRemote } from './remote-execution';
import { describeStack } from './stack';

export interface RemoteLoads {
  readonly executions: Executions;
  readonly objects: Pick<ObjectStore, 'read'>;
  readonly workBucket: string;
}

export interface RemoteOutcome {
  /** The status in Step Functions. */
  readonly state: string;
  /** The input of the execution, as JSON. */
  readonly input: string;
  /** Null if the load ended without a summary. */
  readonly summary: Summary | null;
  readonly failure: { readonly error: string; readonly cause: string } | undefined;
}

/** @throws UsageError if the stack does not exist or has no loader */
export async function remoteLoads(stackName: string): Promise<RemoteLoads> {
  const stack = await describeStack(stackName);
  const stateMachineArn = stack.output('BulkLoadStateMachineArn');
  const workBucket = stack.output('WorkBucketName');
  if (stateMachineArn === undefined || workBucket === undefined) {
    throw new UsageError(`the stack ${stackName} has no loader: deploy it with the parameter InfluxDBUrl`);
  }
  return { executions: executionsOf(stateMachineArn, new SFNClient({})), objects: s3Objects(), workBucket };
}

/**
 * Follows a load to its end.
 * @returns undefined if the signal aborted; the load itself continues
 * @throws UsageError if no load has that id
 */
export async function watchRemote(
  loadId: string,
  { executions, objects, workBucket }: RemoteLoads,
  progress: Progress,
  signal: AbortSignal,
): Promise<RemoteOutcome | undefined> {
  let shown = { total: 0, ended: 0 };
  const execution = await followRemote(loadId, 'load', executions, signal, async () => {
    const { total, done, failed } = await executions.countItems(loadId);
    progress.addTotal(total - shown.total);
    progress.add(done + failed - shown.ended);
    shown = { total, ended: done + failed };
  });
  if (execution === undefined) return undefined;
  const { status: state, input, error, cause } = execution;
  const text = await readText(objects, { bucket: workBucket, key: workKey(loadId, 'summary.json') });
  const summary = text === undefined ? null : (JSON.parse(text) as Summary);
  return { state, input, summary, failure: error === undefined ? undefined : readCause({ error, cause: cause ?? '' }) };
}
