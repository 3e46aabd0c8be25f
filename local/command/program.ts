/** How a program of the command line ends: with its code, or with what went wrong and never a stack trace. */

/** What is wrong with the arguments. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Errors that say what is wrong with the arguments or the environment. */
const MISUSE = new Set(['UsageError', 'ConfigurationError', 'InvalidEventError']);

/** @param main gives the exit code; what it throws ends the program with 2 for misuse, else with 1 */
export function runProgram(main: () => Promise<number>, usage: string): void {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      if (error instanceof UsageError) console.error(`\n${usage}`);
      process.exitCode = error instanceof Error && MISUSE.has(error.name) ? 2 : 1;
    },
  );
}
