/** Other people's programs on this machine. */
import { execFileSync } from 'node:child_process';

/** Whether a command can be run here. */
export function runs(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
