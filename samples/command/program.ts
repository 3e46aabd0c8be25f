/** What the sample programs have in common: reading numbers from options, and how they end. */

/** Wrong arguments: the message says which and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError where `text` is no whole number from `min` to `max` */
export function integerOption(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`${option} must be a whole number from ${min} to ${max}, not '${text}'`);
  }
  return value;
}

/** @throws UsageError where `text` is none of the choices */
export function choiceOption(option: string, text: string, choices: readonly string[]): string {
  if (!choices.includes(text)) throw new UsageError(`${option} must be one of ${choices.join(', ')}, not '${text}'`);
  return text;
}

/** Runs a program: its result is the exit code; an error is told and gives 2 for wrong arguments, else 1. */
export async function runProgram(program: (args: string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await program(process.argv.slice(2));
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    const wrongArguments = error instanceof UsageError || code?.startsWith('ERR_PARSE_ARGS');
    console.error(error instanceof Error ? error.message : error);
    if (wrongArguments) console.error('--help lists the options.');
    process.exitCode = wrongArguments ? 2 : 1;
  }
}
