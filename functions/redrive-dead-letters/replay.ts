/** Does again what a letter asks for; it is done once this returns. */
import type { Repetition } from 'shared/loads/repeat';
import type { Executions } from '../clients/step-functions';
import type { WriteEvent } from '../write-line-protocol/request';
import type { Content, LoadContent } from './letter';

export interface ReplayTargets {
  /** Invokes the write function and waits for it. @throws what the function throws */
  readonly write: (event: WriteEvent, signal: AbortSignal) => Promise<unknown>;
  /** The same of load-object; undefined, as the next one, where the stack has no loader. */
  readonly loadObject: ((event: object, signal: AbortSignal) => Promise<unknown>) | undefined;
  readonly loads: Loads | undefined;
}

export interface Loads extends Executions {
  /** What of an incomplete load is worth repeating; undefined where it has no summary. */
  repetition(loadId: string): Promise<Repetition | undefined>;
}

export type Replayable = Exclude<Content, { kind: 'unreplayable' }>;

/** A letter of which a replay would end as before; the message says why. */
export class UnreplayableError extends Error {
  override readonly name = 'UnreplayableError';
}

/** @throws where it failed, with the reason as the message: UnreplayableError, or else the same letter may be replayed again */
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
      // An execution of that name is this letter's own, from a replay after which the letter was not deleted.
      await targets.loads.start(content.name, await inputOf(content, targets.loads));
  }
}

/** The input that repeats a load, or what is missing of it. */
async function inputOf({ input, failed, wanted }: LoadContent, loads: Loads): Promise<string> {
  const given = async () => input ?? (failed && (await loads.describe(failed.name))?.input);
  const whole = async (): Promise<string> => {
    const text = await given();
    if (text !== undefined) return text;
    throw new Error(`the execution ${failed?.name} is not known any more, and its event has no input`);
  };
  if (failed?.error !== 'LoadIncomplete') return whole();
  const repetition = await loads.repetition(failed.name);
  const { plan, permanentReason } = repetition ?? { plan: undefined, permanentReason: 'it has no summary' };
  if (permanentReason !== undefined && !wanted)
    throw new UnreplayableError(`the load cannot end otherwise: ${permanentReason}`);
  return plan === undefined ? whole() : JSON.stringify({ ...optionsOf(await given()), plan });
}

/** The options of an input that hold for a part of the load, too; a clientToken is another execution's. */
function optionsOf(input = '{}'): object {
  const { dataset, toleratedFailurePercentage, maxConcurrency } = JSON.parse(input) as Record<string, unknown>;
  return { dataset, toleratedFailurePercentage, maxConcurrency };
}
