/** Defines the program and its commands. */
import { Command } from 'commander';
import { EXIT_CODES } from './ending';
import { addInfer } from './infer';
import { addLoad } from './load';
import { addMigrate } from './migrate';
import { addQuery } from './query';
import { addRedrive } from './redrive';
import { addSample } from './sample';
import { addStart } from './start';

/** Set by the bundler. */
declare const PROGRAM_VERSION: string;

const EXAMPLES = `Examples:
  influxdb-timestream start                            write endpoint on :9000
  influxdb-timestream query 'SELECT * FROM "influxdb-line-protocol"."weather"'
  influxdb-timestream load data.parquet --infer --load   an unknown Parquet file
`;

export function createProgram(): Command {
  const program = new Command('influxdb-timestream')
    .description('Line protocol to Amazon Timestream, Parquet and Timestream to InfluxDB.')
    .usage('COMMAND [options]')
    .version(typeof PROGRAM_VERSION === 'string' ? PROGRAM_VERSION : 'unknown')
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', `\nCOMMAND --help shows the options of a command.\n${EXIT_CODES}`);
  for (const add of [addStart, addQuery, addInfer, addLoad, addMigrate, addRedrive, addSample]) {
    const command = add(program);
    command.showHelpAfterError(`(influxdb-timestream ${command.name()} --help lists the options)`);
    for (const subcommand of command.commands) {
      const name = `${command.name()} ${subcommand.name()}`;
      subcommand.showHelpAfterError(`(influxdb-timestream ${name} --help lists the options)`);
    }
  }
  return program.showHelpAfterError('(influxdb-timestream --help lists the commands)');
}
