/** POST /migrations: starts one execution of the workflow for each client token. */
import { InvalidEventError } from 'shared/errors';
import type { MigrationDefaults } from 'shared/loader-config';
import { readMigrationInput } from 'shared/migration/request';
import { validate } from 'shared/validation';
import { z } from 'zod';
import type { Executions } from '../clients/step-functions';
import { type ApiEvent, type ApiResponse, jsonBody } from '../http';
import { withDefaults } from '../migration-defaults';
import { executionName, startExecution } from '../start-execution';

export interface StartServices {
  readonly executions: Executions;
  readonly defaults: MigrationDefaults;
}

const tokenSchema = z.object({ clientToken: z.string().min(1).max(256).nullish() });

/**
 * Returns 202 with the id of the migration. The same client token with the same input returns the same migration; with another input it
 * returns 409.
 * @throws InvalidEventError for an invalid body; RequestTooLargeError for a body that is too large for an execution
 */
export async function startMigration(event: ApiEvent, { executions, defaults }: StartServices): Promise<ApiResponse> {
  const body = jsonBody(event);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidEventError('the body must be a JSON object');
  }
  const { clientToken } = validate(tokenSchema, body, 'the body');
  const { clientToken: _, ...input } = body as Readonly<Record<string, unknown>>;
  readMigrationInput(withDefaults(input, defaults));
  const smaller = 'name fewer tables, or use globs';
  const name = executionName(clientToken);
  return await startExecution(name, input, executions, { noun: 'migration', smaller });
}
