/** Starts and follows executions of a workflow of a deployed stack. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Execution, Executions } from '../../functions/clients/step-functions';
import { UsageError } from '../cli/ending';

const POLL_MS = 2_000;

/** Starts an execution. Returns its name. */
export async function startRemote(
  input: object,
  { executions }: { readonly executions: Executions },
  now: Date,
): Promise<string> {
  const name = `${now.toISOString().replace(/[:.]/g, '-')}-${randomBytes(3).toString('hex')}`;
  await executions.start(name, JSON.stringify(input));
  return name;
}

/**
 * Follows an execution to its end.
 * @param noun what the execution is, for messages
 * @param onPoll called before each decision whether the execution has ended
 * @returns undefined if the signal aborted; the execution itself continues
 * @throws UsageError if no execution has that name
 */
export async function followRemote(
  name: string,
  noun: 'load' | 'migration',
  executions: Executions,
  signal: AbortSignal,
  onPoll: (execution: Execution) => Promise<void>,
): Promise<Execution | undefined> {
  while (!signal.aborted) {
    const execution = await executions.describe(name);
    if (execution === undefined) throw new UsageError(`the ${noun} ${name} does not exist in this stack`);
    await onPoll(execution);
    if (execution.status !== 'RUNNING') return execution;
    await wait(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
