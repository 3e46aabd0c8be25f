/** Repeats the operation of a message and waits for it. */
import type { Repetition } from 'shared/loads/repeat';
import type { Executions } from '../clients/step-functions';
import type { WriteEvent } from '../write-line-protocol/request';
import type { Content, LoadContent, MigrationContent } from './message';

export interface ReplayTargets {
  /** Invokes the write function and waits for it. @throws what the function throws */
  readonly write: (event: WriteEvent, signal: AbortSignal) => Promise<unknown>;
  /** The same for load-object; undefined, like `loads`, if the stack has no loader. */
  readonly loadObject: ((event: object, signal: AbortSignal) => Promise<unknown>) | undefined;
  readonly loads: Loads | undefined;
  /** Undefined if the stack has no migration. */
  readonly migrations?: Migrations | undefined;
}

export interface Loads extends Executions {
  /** The part of an incomplete load that is worth repeating; undefined without a summary. */
  repetition(loadId: string): Promise<Repetition | undefined>;
}

export interface Migrations extends Pick<Executions, 'start'> {
  /** Whether a migration has a ledger: then it can be continued. */
  hasLedger(migrationId: string): Promise<boolean>;
}

export type Replayable = Exclude<Content, { kind: 'unreplayable' }>;

/** A replay would fail in the same way; `message` has the reason. */
export class UnreplayableError extends Error {
  override readonly name = 'UnreplayableError';
}

/** @throws if the replay failed: UnreplayableError, or another error after which the message may be replayed again */
export async function replay(content: Replayable, targets: ReplayTargets, signal: AbortSignal): Promise<void> {
  switch (content.kind) {
    case 'write':
      await targets.write(content.event, signal);
      break;
    case 'object':
      if (targets.loadObject === undefined) throw new Error('the stack has no loader');
      await targets.loadObject(content.event, signal);
      break;
    case 'load':
      if (targets.loads === undefined) throw new Error('the stack has no loader');
      // An execution of this name comes from an earlier replay after which the message was not deleted.
      await targets.loads.start(content.name, await inputOf(content, targets.loads));
      break;
    case 'migration':
      if (targets.migrations === undefined) throw new Error('the stack has no migration');
      await targets.migrations.start(content.name, await migrationInput(content, targets.migrations));
  }
}

/** Continues the migration. One that failed before it had a ledger starts again. */
async function migrationInput({ migrationId, input }: MigrationContent, migrations: Migrations): Promise<string> {
  if (await migrations.hasLedger(migrationId)) return JSON.stringify({ resume: migrationId });
  if (input !== undefined) return input;
  throw new UnreplayableError(`the migration ${migrationId} has no ledger, and its event has no input`);
}

/** The input that repeats a load, or the missing part of it. */
async function inputOf({ input, failed, requested }: LoadContent, loads: Loads): Promise<string> {
  const given = async () => input ?? (failed && (await loads.describe(failed.name))?.input);
  const whole = async (): Promise<string> => {
    const text = await given();
    if (text !== undefined) return text;
    throw new Error(`the execution ${failed?.name} has expired, and its event has no input`);
  };
  if (failed?.error !== 'LoadIncomplete') return whole();
  const repetition = await loads.repetition(failed.name);
  const { plan, permanentReason } = repetition ?? { plan: undefined, permanentReason: 'it has no summary' };
  if (permanentReason !== undefined && !requested)
    throw new UnreplayableError(`a replay would fail in the same way: ${permanentReason}`);
  return plan === undefined ? whole() : JSON.stringify({ ...optionsOf(await given()), plan });
}

/** The options of an input that also apply to a part of the load. A clientToken does not: it names another execution. */
function optionsOf(input = '{}'): object {
  const { dataset, toleratedFailurePercentage, maxConcurrency } = JSON.parse(input) as Record<string, unknown>;
  return { dataset, toleratedFailurePercentage, maxConcurrency };
}
