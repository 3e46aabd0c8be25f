/** Follows loads of the workflow of a deployed stack. */
import { grouped, number } from 'shared/count-text';
import { type PointCounts, pointRate, pointsSoFar } from 'shared/loads/load-progress';
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

/** Counting points lists an object for each item. */
const POINTS_MS = 10_000;

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
  let next = 0;
  const execution = await followRemote(loadId, 'load', executions, signal, async ({ status, started, ended }) => {
    const { total, done, failed } = await executions.countItems(loadId);
    const now = performance.now();
    if (now >= next || status !== 'RUNNING') {
      // Who follows a load may lack the permission to list the bucket.
      const points = await pointsSoFar(loadId, { objects, workBucket }).catch(() => null);
      const rate = pointRate(points?.points, started, ended, Date.now());
      if (points) progress.setDetail(pointsText(points, rate, failed));
      next = now + POINTS_MS;
    }
    progress.addTotal(total - shown.total);
    progress.add(done + failed - shown.ended);
    shown = { total, ended: done + failed };
  });
  if (execution === undefined) return undefined;
  const { status: state, input } = execution;
  const summary = await readSummary(objects, { bucket: workBucket, key: workKey(loadId, 'summary.json') });
  return { state, input, summary, failure: failureOf(execution) };
}

/** For example `12,000 points, 400 points/s, 3 points rejected, 1 item failed`. */
function pointsText(counts: PointCounts, rate: number | null, failedItems: number): string {
  const { points, rejectedPoints, failedPoints, invalidRows } = counts;
  const errors = [
    { count: rejectedPoints, text: `${number(rejectedPoints, 'point')} rejected` },
    { count: failedPoints, text: `${number(failedPoints, 'point')} failed` },
    { count: invalidRows, text: number(invalidRows, 'invalid row') },
    { count: failedItems, text: `${number(failedItems, 'item')} failed` },
  ];
  const found = errors.filter(({ count }) => count > 0).map(({ text }) => text);
  return [number(points, 'point'), ...(rate ? [`${grouped(rate)} points/s`] : []), ...found].join(', ');
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
