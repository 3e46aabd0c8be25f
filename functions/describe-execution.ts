/** What is said of an execution, of a load or of a migration. */
import { readCause } from 'shared/loads/map-results';
import type { Execution, Executions } from './clients/step-functions';
import { type ApiEvent, type ApiResponse, jsonResponse } from './http';

/**
 * The execution that the path names.
 * @param names names that an execution may have
 * @param noun of the execution, for the response 404
 */
export async function findExecution(
  event: ApiEvent,
  names: RegExp,
  noun: 'load' | 'migration',
  executions: Executions,
): Promise<{ readonly id: string; readonly execution: Execution } | { readonly notFound: ApiResponse }> {
  const id = event.pathParameters?.id;
  const execution = typeof id === 'string' && names.test(id) ? await executions.describe(id) : undefined;
  if (typeof id === 'string' && execution) return { id, execution };
  return { notFound: jsonResponse(404, { error: 'NotFound', message: `no ${noun} has this id` }) };
}

export const stateOf = ({ status, started, ended, input }: Execution) => ({
  state: status,
  started: started?.toISOString() ?? null,
  ended: ended?.toISOString() ?? null,
  input: JSON.parse(input) as unknown,
});

export interface Failure {
  readonly error: string;
  readonly cause: string;
}

/** Why the execution failed; undefined if it did not. */
export const failureOf = ({ error, cause = '' }: Execution): Failure | undefined =>
  error === undefined ? undefined : readCause({ error, cause });
