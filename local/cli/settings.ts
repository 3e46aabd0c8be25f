/**
 * Offers the settings of the functions as options of a command. An option wins over its environment variable, and errors name the
 * option. The defaults come from the configuration itself, which is read once with an observer to list them.
 */
import { type Command, Option } from 'commander';
import { grouped } from 'shared/count-text';
import { editDistance } from 'shared/edit-distance';
import type { Environment, ObserveSetting } from 'shared/environment';
import { ConfigurationError } from 'shared/errors';
import { CONNECTOR_SETTINGS, LOADER_SETTINGS, NO_OPTION, REDRIVE_SETTINGS } from './settings-tables';

/** How a command shows a setting. The key in a table is the name of the environment variable. */
export interface Setting {
  /** Without leading dashes; by default the variable's name in kebab case. */
  readonly option?: string;
  /** The placeholder for the value, such as `N` or `URL`. */
  readonly value: string;
  readonly help: string;
}

export type SettingsTable = Readonly<Record<string, Setting>>;

type ReadSettings<Config> = (environment: Environment, observe?: ObserveSetting) => Config;
type Default = string | number | boolean | undefined;

export const optionOf = (name: string, { option }: Setting): string =>
  option ?? name.toLowerCase().replaceAll('_', '-');

/** The variables that a configuration reads, with their defaults. */
export function readVariables(read: ReadSettings<unknown>): ReadonlyMap<string, Default> {
  const variables = new Map<string, Default>();
  try {
    read({}, (name, fallback) => {
      if (fallback !== undefined || !variables.has(name)) variables.set(name, fallback);
    });
  } catch (error) {
    // The environment is empty, so required variables are missing.
    if (!(error instanceof ConfigurationError)) throw error;
  }
  return variables;
}

/** Adds an option for each setting. The help text names its variable and default. */
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
    const shown = typeof fallback === 'number' ? grouped(fallback) : fallback;
    const help = `${setting.help} (${name}${shown === undefined ? '' : `, default ${shown}`})`;
    command.addOption(new Option(`--${optionOf(name, setting)} <${setting.value}>`, help));
  }
  return command;
}

/** The environment, overridden by the options that were given. */
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
 * @param environment without the options: an error about a setting from the environment names its variable, any other its option
 * @throws ConfigurationError that names the option or variable to change
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

/** Warns of variables whose names are close to the name of a setting, because they are not read. */
export function misnamedSettings(table: SettingsTable, environment: Environment): string[] {
  const unset = Object.entries(table).filter(([name]) => environment[name] === undefined);
  return Object.keys(environment)
    .filter((given) => !KNOWN.has(given) && !AMBIGUOUS.has(given))
    .flatMap((given) => {
      const [[name, setting] = []] = unset
        .map((entry) => ({ entry, distance: differenceOf(given, entry[0]) }))
        .filter(({ distance }) => distance <= MAX_TYPING_ERRORS)
        .sort((a, b) => a.distance - b.distance)
        .map(({ entry }) => entry);
      if (name === undefined || setting === undefined) return [];
      return [`warning: ${given} is ignored: the setting is ${name}, or --${optionOf(name, setting)}`];
    });
}

const MAX_TYPING_ERRORS = 2;
/** Without separators. Shorter names are close to too many others. */
const MIN_COMPARED = 8;

/** Typing errors in the name of a setting; case and separators do not count. */
function differenceOf(given: string, name: string): number {
  const plain = (text: string): string => text.replace(/[^a-z0-9]/gi, '').toLowerCase();
  const [a, b] = [plain(given), plain(name)];
  if (a === b) return 0;
  const isComparable = b.length >= MIN_COMPARED && Math.abs(a.length - b.length) <= MAX_TYPING_ERRORS;
  return isComparable ? editDistance(a, b) : Number.POSITIVE_INFINITY;
}

/** The settings of all commands. */
const KNOWN = new Set(
  [CONNECTOR_SETTINGS, LOADER_SETTINGS, REDRIVE_SETTINGS, NO_OPTION].flatMap((table) => Object.keys(table)),
);

/** Names that other programs also use, and outputs of the stack: a warning would be wrong. */
const AMBIGUOUS = new Set(['REGION', 'INFLUX_TOKEN', 'INFLUX_ORG', 'ParkingQueueUrl', 'WorkBucketName']);
