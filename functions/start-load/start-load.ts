/** POST /loads: starts one execution of the workflow for each client token. */
import type { DatasetMapping } from 'shared/datasets/mapping';
import { readInput, readLoad } from 'shared/loads/load';
import type { Executions } from '../clients/step-functions';
import { type ApiEvent, type ApiResponse, jsonBody } from '../http';
import { executionName, startExecution } from '../start-execution';

export interface StartServices {
  readonly executions: Executions;
  readonly mappings: readonly DatasetMapping[];
}

/**
 * Returns 202 with the id of the load. The same client token with the same input returns the same load; with another input it returns 409.
 * If the execution exists but cannot be found yet, it returns 503.
 * @throws InvalidEventError for an invalid body; RequestTooLargeError for a body that is too large for an execution;
 *   DataConversionError if no dataset is detected from a single key
 */
export async function startLoad(event: ApiEvent, { executions, mappings }: StartServices): Promise<ApiResponse> {
  const input = jsonBody(event);
  const name = executionName(readInput(input).options.clientToken);
  readLoad(name, input, { mappings, reservedConcurrency: undefined });
  const smaller = 'load a prefix, or split the keys into several loads';
  return await startExecution(name, input, executions, { noun: 'load', smaller });
}
