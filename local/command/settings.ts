/** Settings of the functions that a program takes as options: an option wins over the environment variable, and is what an error names. */
import type { Environment } from 'shared/environment';
import { ConfigurationError } from 'shared/errors';

/** The option of each setting, by the name of its environment variable. */
export type SettingOptions = Readonly<Record<string, string>>;

/** What was typed, by option; undefined where it was not. */
type Typed = Readonly<Record<string, unknown>>;

/** The environment with what was typed in it. */
export function settingsOf(options: SettingOptions, typed: Typed, environment: Environment): Environment {
  const given = Object.entries(options).filter(([, option]) => typed[option] !== undefined);
  return { ...environment, ...Object.fromEntries(given.map(([setting, option]) => [setting, String(typed[option])])) };
}

/**
 * Reads the configuration.
 * @param environment without what was typed: a setting that is not in it is called by its option
 * @throws ConfigurationError that names what the user can change
 */
export function readSettings<Config>(
  read: (settings: Environment) => Config,
  settings: Environment,
  options: SettingOptions,
  environment: Environment,
): Config {
  try {
    return read(settings);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = error.problems.map((problem) => {
      const [setting = '', ...words] = problem.split(' ');
      const option = options[setting];
      const isFromEnvironment = environment[setting] !== undefined && environment[setting] === settings[setting];
      return option === undefined || isFromEnvironment ? problem : [`--${option}`, ...words].join(' ');
    });
    throw new ConfigurationError(problems);
  }
}
