/** GET /loads/{id}: the state of a load, its progress, and its summary after it has ended. */
import { pointRate, pointsSoFar } from 'shared/loads/load-progress';
import { type ObjectStore, readText } from 'shared/loads/objects';
import { workKey } from 'shared/loads/work-keys';
import type { Logger } from 'shared/logger';
import type { Executions, ItemCounts } from '../clients/step-functions';
import { failureOf, findExecution, stateOf } from '../describe-execution';
import { type ApiEvent, type ApiResponse, jsonResponse } from '../http';

export interface DescribeServices {
  readonly executions: Executions;
  readonly objects: Pick<ObjectStore, 'read' | 'list'>;
  readonly workBucket: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** ms since 1970 */
  readonly now?: () => number;
}

/** The name of an execution. `health` is another path of the API, not a load. */
const LOAD_ID = /^(?!health$)[\w-]{1,80}$/;

/** Returns 200 with `{loadId, state, started, ended, input, progress, summary, error, cause}`, or 404. */
export async function describeLoad(event: ApiEvent, services: DescribeServices): Promise<ApiResponse> {
  const found = await findExecution(event, LOAD_ID, 'load', services.executions);
  if ('notFound' in found) return found.notFound;
  const { id: loadId, execution } = found;
  const [items, points] = await Promise.all([countItems(loadId, services), pointsSoFar(loadId, services)]);
  const summary = execution.status === 'RUNNING' ? null : await readSummary(loadId, services);
  return jsonResponse(200, {
    loadId,
    ...stateOf(execution),
    progress: {
      items: items?.total ?? null,
      itemsDone: items?.done ?? null,
      itemsFailed: items?.failed ?? null,
      ...(points ?? { points: null, rejectedPoints: null, failedPoints: null, invalidRows: null }),
      pointsPerSecond: pointRate(points?.points, execution.started, execution.ended, (services.now ?? Date.now)()),
    },
    summary,
    ...failureOf(execution),
  });
}

/** Undefined if Step Functions does not return them; the state of the load is returned anyway. */
async function countItems(loadId: string, { executions, logger }: DescribeServices): Promise<ItemCounts | undefined> {
  try {
    return await executions.countItems(loadId);
  } catch (error) {
    logger.warn('the items of a load could not be counted', { error });
    return undefined;
  }
}

/** Null if the load ended before it was summarized. */
async function readSummary(loadId: string, { objects, workBucket }: DescribeServices): Promise<unknown> {
  const text = await readText(objects, { bucket: workBucket, key: workKey(loadId, 'summary.json') });
  return text === undefined ? null : JSON.parse(text);
}
