/** Does again what a letter asks for; it is done once this returns. */
import type { Executions } from '../clients/step-functions';
import type { WriteEvent } from '../write-line-protocol/request';
import type { Content } from './letter';

export interface ReplayTargets {
  /** Invokes the write function and waits for it. @throws what the function throws */
  readonly write: (event: WriteEvent, signal: AbortSignal) => Promise<unknown>;
  /** The same of load-object; undefined, as the next one, where the stack has no loader. */
  readonly loadObject: ((event: object, signal: AbortSignal) => Promise<unknown>) | undefined;
  readonly executions: Executions | undefined;
}

export type Replayable = Exclude<Content, { kind: 'unreplayable' }>;

/** @throws where it failed, with the reason as the message; the same letter may then be replayed again */
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
      await startLoad(content, targets.executions);
  }
}

/** An execution of that name is this letter's own, from a replay after which the letter was not deleted. */
async function startLoad(
  { name, input, failed }: Extract<Replayable, { kind: 'load' }>,
  executions: Executions | undefined,
): Promise<void> {
  if (executions === undefined) throw new Error('the stack has no loader');
  const text = input ?? (await executions.describe(failed))?.input;
  if (text === undefined) throw new Error(`the execution ${failed} is not known any more, and its event has no input`);
  await executions.start(name, text);
}
