/** Ends the program: exit codes, and error messages without a stack trace. */

/** The arguments are wrong; the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const DONE = 0;
/** Some of the work failed; the messages name it. */
export const FAILED = 1;
/** The arguments or settings are wrong: nothing was done. */
export const MISUSED = 2;
/** The code that a shell reports for a program ended by Ctrl-C. */
export const INTERRUPTED = 130;

export const EXIT_CODES = 'Exit codes: 0 success, 1 failure (also partial), 2 wrong arguments, 130 Ctrl-C.';

/** DataConversionError ends a command only before it has started: the dataset of its single file is not known. */
const MISUSE = new Set(['UsageError', 'ConfigurationError', 'InvalidEventError', 'DataConversionError']);

/** Prints the message of an error to stderr, and returns the exit code. */
export function exitCodeOf(error: unknown): number {
  console.error(error instanceof Error ? messageOf(error) : String(error));
  return error instanceof Error && MISUSE.has(error.name) ? MISUSED : FAILED;
}

/** For a host with several addresses Node throws an AggregateError, which has a code but no message. */
export function messageOf(error: Error): string {
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}

/** Aborts at the first Ctrl-C (SIGINT or SIGTERM), so that the program can end cleanly. The second one ends the process at once. */
export function interruption(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(INTERRUPTED);
      stop.abort();
    });
  }
  return stop.signal;
}
