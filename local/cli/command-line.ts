/** Writes commands that the user can run as printed. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { Command } from 'commander';

/** How this process was started. */
export interface Start {
  /** npm's name of the script that started it; `npx` for npx. */
  readonly npmEvent: string | undefined;
  /** The folder of the package. */
  readonly root: string;
  /** Whether the package is a clone; otherwise it is installed. */
  readonly isClone: boolean;
  /** The current folder. */
  readonly folder: string;
}

const START: Start = {
  npmEvent: process.env.npm_lifecycle_event,
  // The bundle is in dist/.
  root: join(__dirname, '..'),
  isClone: existsSync(join(__dirname, '../local/cli/main.ts')),
  folder: process.cwd(),
};

/** The command line that starts a subcommand in the way in which this process was started, with each word quoted for a POSIX shell. */
export function commandLine(subcommand: string, words: readonly string[], start: Start = START): string {
  return [...programWords(subcommand, start), ...words].map(quoted).join(' ');
}

function programWords(subcommand: string, { npmEvent, root, isClone, folder }: Start): string[] {
  if (npmEvent === subcommand) return ['npm', 'run', '-s', subcommand, '--'];
  const program = 'influxdb-timestream';
  if (npmEvent === 'npx') return ['npx', program, subcommand];
  if (!isClone) return [program, subcommand];
  // Elsewhere npx would look for the program in the registry.
  const [first] = relative(root, folder).split(sep);
  const isInside = first !== '..' && !isAbsolute(relative(root, folder));
  return isInside ? ['npx', program, subcommand] : ['node', join(root, 'bin/influxdb-timestream.mjs'), subcommand];
}

const quoted = (word: string): string =>
  /^[\w./:=@%,+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;

/**
 * The options that the user gave, as words of another command line. The token is a placeholder.
 * @param without names of options that do not apply to it
 * @param texts the values of an option that are not its text, by name; an option with several is repeated
 */
export function givenOptions(
  command: Command,
  without: ReadonlySet<string>,
  texts: Readonly<Record<string, (value: unknown) => readonly string[]>> = {},
): string[] {
  return command.options.flatMap((option) => {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli' || without.has(name)) return [];
    const value = command.getOptionValue(name) as unknown;
    if (value === true) return [`${option.long}`];
    const values = name === 'token' ? ['TOKEN'] : (texts[name]?.(value) ?? [String(value)]);
    return values.flatMap((text) => [`${option.long}`, text]);
  });
}
