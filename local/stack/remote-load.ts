/** Follows loads of the workflow of a deployed stack. */
import { type ObjectRef, type ObjectStore, readText } from 'shared/loads/objects';
import { type Summary, summarySchema } from 'shared/loads/summary';
import { workKey } from 'shared/loads/work-keys';
import { validate } from 'shared/validation';
import { type Failure, failureOf } from '../../functions/describe-execution';
import type { Progress } from '../loader/progress';
import { followRemote, type RemoteWorkflow, remoteWorkflow } from './remote-execution';

export interface RemoteOutcome {
  /** The status in Step Functions. */
  readonly state: string;
  /** The input of the execution, as JSON. */
  readonly input: string;
  /** Null if the load ended without a summary. */
  readonly summary: Summary | null;
  readonly failure: Failure | undefined;
}

/** @throws UsageError if the stack does not exist or has no loader */
export const remoteLoads = (stackName: string): Promise<RemoteWorkflow> =>
  remoteWorkflow(
    stackName,
    'BulkLoadStateMachineArn',
    'loader: deploy it with the parameters InfluxDBUrl and DataBucketName',
  );

/**
 * Follows a load to its end.
 * @returns undefined if the signal aborted; the load itself continues
 * @throws UsageError if no load has that id
 */
export async function watchRemote(
  loadId: string,
  { executions, objects, workBucket }: RemoteWorkflow,
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
  const { status: state, input } = execution;
  const summary = await readSummary(objects, { bucket: workBucket, key: workKey(loadId, 'summary.json') });
  return { state, input, summary, failure: failureOf(execution) };
}

/** @throws Error if the summary is not in the form of this version */
async function readSummary(objects: Pick<ObjectStore, 'read'>, ref: ObjectRef): Promise<Summary | null> {
  const text = await readText(objects, ref);
  if (text === undefined) return null;
  const address = `s3://${ref.bucket}/${ref.key}`;
  try {
    return validate(summarySchema, JSON.parse(text), address);
  } catch (error) {
    const reason = error instanceof SyntaxError ? `${address} is not JSON` : (error as Error).message;
    throw new Error(`${reason}. Update the stack if it is of an earlier version`);
  }
}
