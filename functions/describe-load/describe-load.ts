/** GET /loads/{id}: the state of a load and, once it has ended, its summary. */
import { readCause } from 'shared/loads/map-results';
import { type ObjectStore, readText } from 'shared/loads/objects';
import { workKey } from 'shared/loads/plan-load';
import type { Executions } from '../clients/step-functions';
import { type ApiEvent, type ApiResponse, jsonResponse } from '../http';

export interface DescribeServices {
  readonly executions: Executions;
  readonly objects: Pick<ObjectStore, 'read'>;
  readonly workBucket: string;
}

/** An execution's name; `health` is another path of the API, and no load. */
const LOAD_ID = /^(?!health$)[\w-]{1,80}$/;

/** Answers 200 with `{loadId, state, started, ended, input, summary, error, cause}`, or 404. */
export async function describeLoad(event: ApiEvent, services: DescribeServices): Promise<ApiResponse> {
  const id = event.pathParameters?.id;
  const loadId = typeof id === 'string' && LOAD_ID.test(id) ? id : undefined;
  const execution = loadId === undefined ? undefined : await services.executions.describe(loadId);
  if (loadId === undefined || !execution) {
    return jsonResponse(404, { error: 'NotFound', message: 'there is no load of this id' });
  }
  const { status, error, cause, started, ended } = execution;
  const summary = status === 'RUNNING' ? null : await readSummary(loadId, services);
  return jsonResponse(200, {
    loadId,
    state: status,
    started: started?.toISOString() ?? null,
    ended: ended?.toISOString() ?? null,
    input: JSON.parse(execution.input),
    summary,
    ...(error !== undefined && readCause({ error, cause: cause ?? '' })),
  });
}

/** Null where the load ended before it was summed up. */
async function readSummary(loadId: string, { objects, workBucket }: DescribeServices): Promise<unknown> {
  const text = await readText(objects, { bucket: workBucket, key: workKey(loadId, 'summary.json') });
  return text === undefined ? null : JSON.parse(text);
}
