/** POST /loads: starts one execution of the workflow for each client token. */
import { createHash, randomUUID } from 'node:crypto';
import { grouped } from 'shared/count-text';
import type { DatasetMapping } from 'shared/datasets/mapping';
import { RequestTooLargeError } from 'shared/errors';
import { readInput, readLoad } from 'shared/loads/load';
import type { Executions } from '../clients/step-functions';
import { type ApiEvent, type ApiResponse, jsonBody, jsonResponse } from '../http';

export interface StartServices {
  readonly executions: Executions;
  readonly mappings: readonly DatasetMapping[];
}

/** Step Functions accepts 256 KiB, and the first step gets the id of the load beside the input. */
export const MAX_INPUT_BYTES = 256 * 1024 - 512;

/**
 * Returns 202 with the id of the load. The same client token with the same input returns the same load; with another input it returns 409.
 * If the execution exists but cannot be found yet, it returns 503.
 * @throws InvalidEventError for an invalid body; RequestTooLargeError for a body that is too large for an execution;
 *   DataConversionError if no dataset is detected from a single key
 */
export async function startLoad(event: ApiEvent, { executions, mappings }: StartServices): Promise<ApiResponse> {
  const input = jsonBody(event);
  const { clientToken } = readInput(input).options;
  const name = clientToken ? createHash('sha256').update(clientToken).digest('hex') : randomUUID();
  readLoad(name, input, { mappings, reservedConcurrency: undefined });
  const text = canonical(input);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_INPUT_BYTES) {
    const max = grouped(MAX_INPUT_BYTES);
    throw new RequestTooLargeError(
      `the input has ${grouped(bytes)} bytes, the limit is ${max}: load a prefix, or split the keys into several loads`,
    );
  }
  if (!(await executions.start(name, text))) {
    const known = await executions.describe(name);
    if (known && canonical(JSON.parse(known.input)) !== text) {
      const message = 'this clientToken was used for a load with another input: use a new clientToken';
      return jsonResponse(409, { error: 'Conflict', message, loadId: name });
    }
    if (known) return jsonResponse(202, { loadId: name, state: known.status });
    // The two calls disagree for a moment: the execution was started, or deleted, just now.
    const message = 'the load of this clientToken cannot be described yet: send the request again later';
    return jsonResponse(503, { error: 'ServiceUnavailable', message, loadId: name });
  }
  return jsonResponse(202, { loadId: name, state: 'RUNNING' });
}

/** JSON with sorted names, so that equal inputs give equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
