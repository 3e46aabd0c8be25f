/** Third-party programs on this machine. */
import { execFileSync } from 'node:child_process';

/** Whether a command can run on this machine. */
export function runs(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
