/** How the program ends: with an exit code, or with a message and never a stack trace. */

/** What is wrong with the arguments. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const DONE = 0;
/** Something was not done, and the messages name it. */
export const FAILED = 1;
/** The arguments or settings are wrong: nothing was done. */
export const MISUSED = 2;
/** As a shell reports a program that Ctrl-C ended. */
export const INTERRUPTED = 130;

export const EXIT_CODES = 'Exit codes: 0 done, 1 failed (also in part), 2 wrong arguments, 130 Ctrl-C.';

const MISUSE = new Set(['UsageError', 'ConfigurationError', 'InvalidEventError']);

/** The exit code of what a command threw, after its message went to stderr. */
export function exitCodeOf(error: unknown): number {
  console.error(error instanceof Error ? messageOf(error) : String(error));
  return error instanceof Error && MISUSE.has(error.name) ? MISUSED : FAILED;
}

/** A host with several addresses fails with an AggregateError, which has a code and no message. */
export function messageOf(error: Error): string {
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}

/** Aborts at the first Ctrl-C (SIGINT or SIGTERM), for an orderly end; the second ends the process at once. */
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
