/**
 * Settings of the functions as options of a command. An option wins over its environment variable, and is the name that an error
 * uses. Defaults are those of the configuration itself, which is read once with an observer to list them.
 */
import { type Command, Option } from 'commander';
import type { Environment, ObserveSetting } from 'shared/environment';
import { ConfigurationError } from 'shared/errors';

/** How a setting is shown; the key of a table is the name of its environment variable. */
export interface Setting {
  /** Without dashes; by default the variable's name in kebab case. */
  readonly option?: string;
  /** What the value is, such as `N` or `URL`. */
  readonly value: string;
  readonly help: string;
}

export type SettingsTable = Readonly<Record<string, Setting>>;

type ReadSettings<Config> = (environment: Environment, observe?: ObserveSetting) => Config;
type Default = string | number | boolean | undefined;

export const optionOf = (name: string, { option }: Setting): string =>
  option ?? name.toLowerCase().replaceAll('_', '-');

/** Each variable that a configuration reads, with its default. */
export function readVariables(read: ReadSettings<unknown>): ReadonlyMap<string, Default> {
  const variables = new Map<string, Default>();
  try {
    read({}, (name, fallback) => {
      if (fallback !== undefined || !variables.has(name)) variables.set(name, fallback);
    });
  } catch (error) {
    // Without an environment some required ones are missing.
    if (!(error instanceof ConfigurationError)) throw error;
  }
  return variables;
}

/** Adds an option for each setting, with its variable and default in the help. */
export function addSettings(
  command: Command,
  title: string,
  table: SettingsTable,
  read: ReadSettings<unknown>,
  defaults: Environment = {},
): Command {
  const variables = readVariables(read);
  command.optionsGroup(title);
  for (const [name, setting] of Object.entries(table)) {
    const fallback = defaults[name] ?? variables.get(name);
    const shown = typeof fallback === 'number' ? fallback.toLocaleString('en-US') : fallback;
    const help = `${setting.help} (${name}${shown === undefined ? '' : `, default ${shown}`})`;
    command.addOption(new Option(`--${optionOf(name, setting)} <${setting.value}>`, help));
  }
  return command;
}

/** The environment with the options that were typed in it. */
export function settingsOf(
  table: SettingsTable,
  typed: Readonly<Record<string, unknown>>,
  environment: Environment,
): Environment {
  const settings: Record<string, string | undefined> = { ...environment };
  for (const [name, setting] of Object.entries(table)) {
    const value = typed[new Option(`--${optionOf(name, setting)} <value>`).attributeName()];
    if (value !== undefined) settings[name] = String(value);
  }
  return settings;
}

/**
 * Reads the configuration.
 * @param environment without what was typed: a setting that is not in it is called by its option
 * @throws ConfigurationError that names what the user can change
 */
export function readSettings<Config>(
  read: ReadSettings<Config>,
  settings: Environment,
  table: SettingsTable,
  environment: Environment,
): Config {
  try {
    return read(settings);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = error.problems.map((problem) => {
      const [name = '', ...words] = problem.split(' ');
      const setting = table[name];
      const isFromEnvironment = environment[name] !== undefined && environment[name] === settings[name];
      return setting === undefined || isFromEnvironment
        ? problem
        : [`--${optionOf(name, setting)}`, ...words].join(' ');
    });
    throw new ConfigurationError(problems);
  }
}

/** A warning for each variable that has the name of a setting but for case and separators, and so is not read. */
export function misnamedSettings(table: SettingsTable, environment: Environment): string[] {
  const plain = (name: string): string => name.replace(/[^a-z0-9]/gi, '').toLowerCase();
  return Object.entries(table).flatMap(([name, setting]) =>
    Object.keys(environment)
      // On Windows the case of a variable's name does not matter.
      .filter((given) => given !== name && plain(given) === plain(name) && environment[name] === undefined)
      .filter((given) => !AMBIGUOUS.has(given))
      .map((given) => `warning: ${given} is ignored: the setting is ${name}, or --${optionOf(name, setting)}`),
  );
}

/** Names that other programs use for themselves. */
const AMBIGUOUS = new Set(['REGION']);
