/** Records a nested load by its summary in the work bucket, which exists also for a load that failed after it was planned. */
import { z } from 'zod';
import { readCause } from '../loads/map-results';
import { type ObjectStore, readText } from '../loads/objects';
import { workKey } from '../loads/work-keys';
import { validate } from '../validation';
import { recordLoad } from './load';
import { recordLoadInputSchema } from './steps';

/** Without the summary, which the function reads itself. */
const inputSchema = recordLoadInputSchema.omit({ summary: true }).extend({ loadId: z.string() });

/** Small, because it is the state of the workflow. */
export interface RecordedLoad {
  readonly table: string;
  readonly window: string;
  readonly complete: boolean;
}

/** @throws InvalidEventError if the input or the summary is not valid; S3UnavailableError */
export async function recordNestedLoad(
  event: unknown,
  services: { readonly objects: ObjectStore; readonly workBucket: string },
): Promise<RecordedLoad> {
  const { loadId, error, ...line } = validate(inputSchema, event, 'the input of RecordLoad');
  const text = await readText(services.objects, { bucket: services.workBucket, key: workKey(loadId, 'summary.json') });
  const summary: unknown = text === undefined ? undefined : JSON.parse(text);
  const { loaded } = await recordLoad({ ...line, summary, error: error && ownFailure(error) }, services);
  return { table: line.table, window: line.window, complete: loaded?.complete ?? false };
}

interface Failure {
  readonly error: string;
  readonly cause: string;
}

/** The description of an execution. Source: "Start Step Functions workflow executions" in the Step Functions developer guide. */
const executionSchema = z.object({ Error: z.string(), Cause: z.string().default('') });

/** The error of the nested execution: Step Functions reports States.TaskFailed, with a description of the execution as the cause. */
function ownFailure(failure: Failure): Failure {
  const { data } = executionSchema.safeParse(jsonOf(failure.cause));
  return data ? readCause({ error: data.Error, cause: data.Cause }) : failure;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
