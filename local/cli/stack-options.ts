/** Options that apply only to a run from this machine, not to a deployed stack. */
import type { Command } from 'commander';
import { optionOf, type SettingsTable } from './settings';

/**
 * A given option that has no effect with --stack, whose settings are those of the stack.
 * @param options without dashes
 */
export function uselessWithStack(
  command: Command,
  options: readonly string[],
  settings: SettingsTable,
): string | undefined {
  const local = [...options, ...Object.entries(settings).map(([name, setting]) => optionOf(name, setting))];
  const given = command.options.find(
    ({ long }) =>
      long !== undefined && local.includes(long.slice(2)) && command.getOptionValueSource(nameOf(long)) === 'cli',
  );
  return given?.long;
}

const nameOf = (long: string): string => long.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
