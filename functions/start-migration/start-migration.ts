/** POST /migrations: starts one execution of the workflow for each client token. */
import type { MigrationDefaults } from 'shared/loader-config';
import { readMigrationInput, withoutClientToken } from 'shared/migration/request';
import type { Executions } from '../clients/step-functions';
import { type ApiEvent, type ApiResponse, jsonBody } from '../http';
import { withDefaults } from '../migration-defaults';
import { executionName, startExecution } from '../start-execution';

export interface StartServices {
  readonly executions: Executions;
  readonly defaults: MigrationDefaults;
}

/**
 * Returns 202 with the id of the migration. The same client token with the same input returns the same migration; with another input it
 * returns 409.
 * @throws InvalidEventError for an invalid body; RequestTooLargeError for a body that is too large for an execution
 */
export async function startMigration(event: ApiEvent, { executions, defaults }: StartServices): Promise<ApiResponse> {
  const { clientToken, input } = withoutClientToken(jsonBody(event));
  readMigrationInput(withDefaults(input, defaults));
  const smaller = 'name fewer tables, or use globs';
  const name = executionName(clientToken);
  return await startExecution(name, input, executions, { noun: 'migration', smaller });
}
