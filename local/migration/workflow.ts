/** Runs a migration on this machine: the steps of the state machine in the same order, with loads one after another. */
import { jsonObjects } from 'shared/loads/json-objects';
import type { ObjectRef } from 'shared/loads/objects';
import type { Summary } from 'shared/loads/summary';
import { exportStep } from 'shared/migration/export';
import { loadStep, recordLoad } from 'shared/migration/load';
import { reportStep } from 'shared/migration/report';
import type { MigrationServices } from 'shared/migration/services';
import {
  type ExportOutput,
  type LoadWindow,
  loadTableSchema,
  loadWindowSchema,
  type ReportOutput,
  type SurveyOutput,
} from 'shared/migration/steps';
import { surveyStep } from 'shared/migration/survey';
import { verifyStep } from 'shared/migration/verify';
import { validate } from 'shared/validation';
import type { z } from 'zod';
import type { MigrationStep } from '../runs/run';

export interface WorkflowServices extends MigrationServices {
  /** Runs the bulk load. Rejects if it ends without a summary. */
  readonly load: (line: LoadWindow) => Promise<Summary>;
  /** Throws if InfluxDB cannot be written to. */
  readonly check: () => Promise<unknown>;
  /** Throws if the files of exports would not be found. Called before the first export. */
  readonly checkPlace?: () => Promise<unknown>;
  readonly onSurvey?: (survey: SurveyOutput) => unknown;
  readonly onExport?: (exported: ExportOutput) => void;
  /** Called when a step begins. */
  readonly onStep?: (step: MigrationStep) => void;
}

/** The migration was stopped by Ctrl-C. Its ledger is complete: the next run goes on. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/**
 * Runs all steps. A failed window does not stop the others.
 * @param input a request, or `{resume}`
 * @throws InterruptedError when the deadline aborts, and any error of a step that stops all windows
 */
export async function runMigration(
  migrationId: string,
  input: unknown,
  services: WorkflowServices,
): Promise<ReportOutput> {
  services.onStep?.('survey');
  // Also before a dry run: it says whether the tables can be migrated.
  await services.check();
  const survey = await surveyStep({ migrationId, input }, services);
  assertGoing(services, survey.done);
  await services.onSurvey?.(survey);
  const step = { migrationId: survey.migrationId };
  if (survey.next === 'Export') {
    services.onStep?.('export');
    await services.checkPlace?.();
    const exported = await exportStep(step, services);
    assertGoing(services, exported.done);
    services.onExport?.(exported);
    services.onStep?.('load');
    await loadWindows(step, services);
  }
  if (survey.next !== 'Report') {
    services.onStep?.('verify');
    const verified = await verifyStep(step, services);
    assertGoing(services, verified.done);
  }
  services.onStep?.('report');
  return await reportStep(step, services);
}

/** A step ends early only when the deadline aborts. */
function assertGoing({ deadline }: WorkflowServices, done = true): void {
  if (deadline.aborted || !done) throw new InterruptedError('the migration was interrupted');
}

async function loadWindows(step: { readonly migrationId: string }, services: WorkflowServices): Promise<void> {
  const { tables } = await loadStep(step, services);
  if (tables === null) return;
  for await (const { windows } of lines(tables, loadTableSchema, services)) {
    for await (const line of lines(windows, loadWindowSchema, services)) await loadWindow(line, services);
  }
}

/** The validated lines of a list in the work bucket. */
async function* lines<T>(list: ObjectRef, schema: z.ZodType<T>, { objects }: WorkflowServices): AsyncGenerator<T> {
  const name = objects.nameOf(list);
  const chunks = await objects.read(list);
  if (chunks === undefined) throw new Error(`${name} is missing`);
  for await (const value of jsonObjects(chunks, name)) yield validate(schema, value, `a line of ${name}`);
}

async function loadWindow(line: LoadWindow, services: WorkflowServices): Promise<void> {
  assertGoing(services);
  const { migrationId, table, window } = line;
  const result = await services.load(line).then(
    (summary) => ({ summary }),
    (thrown: unknown) => ({ error: failureOf(thrown) }),
  );
  // What an interrupted load has stored is not all: the next run loads the window again.
  assertGoing(services);
  await recordLoad({ migrationId, table, window, ...result }, services);
}

function failureOf(thrown: unknown): { readonly error: string; readonly cause: string } {
  if (thrown instanceof Error) return { error: thrown.name, cause: thrown.message };
  return { error: 'UnexpectedError', cause: String(thrown) };
}
