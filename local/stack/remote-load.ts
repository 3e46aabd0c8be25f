/** Loads by the workflow of a deployed stack, started and watched from here. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { SFNClient } from '@aws-sdk/client-sfn';
import { readCause } from 'shared/loads/map-results';
import { type ObjectStore, readText } from 'shared/loads/objects';
import type { Summary } from 'shared/loads/summary';
import { workKey } from 'shared/loads/work-keys';
import { s3Objects } from '../../functions/clients/s3';
import { type Executions, executionsOf } from '../../functions/clients/step-functions';
import { UsageError } from '../cli/ending';
import type { Progress } from '../loader/progress';
import { describeStack } from './stack';

const POLL_MS = 2_000;

export interface RemoteLoads {
  readonly executions: Executions;
  readonly objects: Pick<ObjectStore, 'read'>;
  readonly workBucket: string;
}

export interface RemoteOutcome {
  /** As Step Functions calls it. */
  readonly state: string;
  /** Null where the load ended before it was summed up. */
  readonly summary: Summary | null;
  readonly failure: { readonly error: string; readonly cause: string } | undefined;
}

/** @throws UsageError where there is no such stack, or it has no loader */
export async function remoteLoads(stackName: string): Promise<RemoteLoads> {
  const stack = await describeStack(stackName);
  const stateMachineArn = stack.output('BulkLoadStateMachineArn');
  const workBucket = stack.output('WorkBucketName');
  if (stateMachineArn === undefined || workBucket === undefined) {
    throw new UsageError(`the stack ${stackName} has no loader: deploy it with the parameter InfluxDBUrl`);
  }
  return { executions: executionsOf(stateMachineArn, new SFNClient({})), objects: s3Objects(), workBucket };
}

/** Starts a load. Returns its id, which is the name of the execution. */
export async function startRemote(input: object, { executions }: RemoteLoads, now: Date): Promise<string> {
  const loadId = `${now.toISOString().replace(/[:.]/g, '-')}-${randomBytes(3).toString('hex')}`;
  await executions.start(loadId, JSON.stringify(input));
  return loadId;
}

/**
 * Follows a load to its end.
 * @returns undefined where the signal aborted: the load then goes on
 * @throws UsageError where there is no load of that id
 */
export async function watchRemote(
  loadId: string,
  { executions, objects, workBucket }: RemoteLoads,
  progress: Progress,
  signal: AbortSignal,
): Promise<RemoteOutcome | undefined> {
  let shown = { total: 0, ended: 0 };
  while (!signal.aborted) {
    const execution = await executions.describe(loadId);
    if (execution === undefined) throw new UsageError(`there is no load ${loadId} in this stack`);
    const { total, done, failed } = await executions.countItems(loadId);
    progress.addTotal(total - shown.total);
    progress.add(done + failed - shown.ended);
    shown = { total, ended: done + failed };
    const { status: state, error, cause } = execution;
    if (state !== 'RUNNING') {
      const text = await readText(objects, { bucket: workBucket, key: workKey(loadId, 'summary.json') });
      const summary = text === undefined ? null : (JSON.parse(text) as Summary);
      return { state, summary, failure: error === undefined ? undefined : readCause({ error, cause: cause ?? '' }) };
    }
    await wait(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
