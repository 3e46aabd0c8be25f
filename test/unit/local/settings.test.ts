/** Every setting has an option, and the help lists every option. */
import { Command } from 'commander';
import { loadAuthorizerConfig, loadConnectorConfig } from 'shared/config';
import { loadLoaderConfig, loadPlanningConfig, loadWorkflowConfig } from 'shared/loader-config';
import { loadRedriveConfig } from 'shared/redrive-config';
import { createProgram } from '../../../local/cli/program';
import {
  addSettings,
  misnamedSettings,
  optionOf,
  readSettings,
  readVariables,
  settingsOf,
} from '../../../local/cli/settings';
import { CONNECTOR_SETTINGS, LOADER_SETTINGS, NO_OPTION, REDRIVE_SETTINGS } from '../../../local/cli/settings-tables';

const ENVIRONMENT = { PARKING_QUEUE_URL: 'https://p', WRITE_FUNCTION_NAME: 'w', MAX_TRIES: '0' };

const COMMANDS = [
  ['start', CONNECTOR_SETTINGS, [loadConnectorConfig, loadAuthorizerConfig]],
  ['load', LOADER_SETTINGS, [loadLoaderConfig, loadPlanningConfig, loadWorkflowConfig]],
  ['redrive', REDRIVE_SETTINGS, [loadRedriveConfig]],
] as const;

/** Variables of Lambda and the AWS SDK, which document them. */
const isOfAws = (name: string): boolean => name.startsWith('AWS_');

describe.each(COMMANDS)('%s', (name, table, configs) => {
  const variables = configs.flatMap((config) => [...readVariables(config).keys()]);

  test('has an option for each variable that its configuration reads, or a reason why not', () => {
    const without = variables.filter((variable) => !isOfAws(variable) && !Object.hasOwn(table, variable));
    // The workflow's ARN is an option of redrive.
    const needed = without.filter(
      (variable) => !Object.hasOwn(NO_OPTION, variable) && variable !== 'STATE_MACHINE_ARN',
    );
    expect(needed).toEqual([]);
  });

  test('has no option for a variable that nothing reads', () => {
    expect(Object.keys(table).filter((variable) => !variables.includes(variable))).toEqual([]);
  });

  test('lists each option with its variable in the help', () => {
    const help =
      createProgram()
        .commands.find((command) => command.name() === name)
        ?.helpInformation() ?? '';
    const text = help.replace(/\s+/g, ' ');
    for (const [variable, setting] of Object.entries(table)) {
      expect(text).toContain(`--${optionOf(variable, setting)} <${setting.value}>`);
      expect(text).toMatch(new RegExp(`\\(${variable}[,)]`));
    }
  });
});

test('every variable without an option is read by a configuration', () => {
  const variables = COMMANDS.flatMap(([, , configs]) => configs.flatMap((config) => [...readVariables(config).keys()]));
  expect(Object.keys(NO_OPTION).filter((variable) => !variables.includes(variable))).toEqual([]);
});

test('defaults come from the configuration', () => {
  const help = addSettings(new Command(), 'Settings', CONNECTOR_SETTINGS, loadConnectorConfig).helpInformation();
  expect(help.replace(/\s+/g, ' ')).toContain('(max_decompressed_bytes, default 26,214,400)');
});

test('an option wins over the environment', () => {
  expect(settingsOf(REDRIVE_SETTINGS, { maxTries: '7', rate: undefined }, ENVIRONMENT)).toEqual({
    ...ENVIRONMENT,
    MAX_TRIES: '7',
  });
});

test('an error names the option, also if it is missing, unless the value comes from the environment', () => {
  const settings = settingsOf(REDRIVE_SETTINGS, { rate: 'x' }, ENVIRONMENT);
  expect(() => readSettings(loadRedriveConfig, settings, REDRIVE_SETTINGS, ENVIRONMENT)).toThrow(
    expect.objectContaining({
      problems: [
        expect.stringMatching(/^--queue is missing/),
        expect.stringMatching(/^--rate must be a whole number .*'x'$/),
        expect.stringMatching(/^MAX_TRIES must be a whole number .*'0'$/),
      ],
    }),
  );
});

test.each([
  ['DATABASE_NAME', 'database_name', '--database-name'],
  ['DatabaseName', 'database_name', '--database-name'],
  ['MAX_LINES', 'max_lines', '--max-lines'],
  ['database_nam', 'database_name', '--database-name'],
  ['DATABSE_NAME', 'database_name', '--database-name'],
  ['max_lnies', 'max_lines', '--max-lines'],
])('warns of %s, because the setting is %s', (given, name, option) => {
  expect(misnamedSettings(CONNECTOR_SETTINGS, { [given]: 'x' })).toEqual([
    `warning: ${given} is ignored: the setting is ${name}, or ${option}`,
  ]);
  expect(misnamedSettings(CONNECTOR_SETTINGS, { [given]: 'x', [name]: 'y' })).toEqual([]);
});

test('does not warn of variables of other programs', () => {
  expect(misnamedSettings(CONNECTOR_SETTINGS, { REGION: 'x', LOG_LEVEL: 'x', PATH: 'x' })).toEqual([]);
  // Another command reads MAX_RETRIES, and the CLI of InfluxDB INFLUX_TOKEN.
  expect(misnamedSettings(REDRIVE_SETTINGS, { MAX_RETRIES: '1' })).toEqual([]);
  expect(misnamedSettings(LOADER_SETTINGS, { INFLUX_TOKEN: 'x' })).toEqual([]);
});
