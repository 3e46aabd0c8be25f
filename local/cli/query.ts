/** `query`: runs SQL on the local server or, with --aws, on Amazon Timestream. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted } from '../query/format';
import { notACommand, SHORT_FORMS, sqlOf } from '../query/statement';
import { UsageError } from './ending';
import { httpUrl } from './values';

interface Options {
  readonly format?: Format;
  readonly file?: string;
  readonly database: string;
  readonly endpointUrl: string;
  readonly aws?: true;
  readonly region?: string;
  readonly profile?: string;
}

const EXAMPLES = `
Examples:
  influxdb-timestream query .tables
  influxdb-timestream query 'SELECT * FROM "influxdb-line-protocol"."weather" LIMIT 5'
  influxdb-timestream query --aws --format csv --file report.sql > report.csv

Short forms, which need no quotes:
${SHORT_FORMS.replace(/^/gm, '  ')}`;

export function addQuery(program: Command): Command {
  return program
    .command('query')
    .description('run SQL on the local server, or (--aws) on Amazon Timestream')
    .argument('[SQL...]', 'a statement; - reads it from stdin; without it, a terminal prompts for statements')
    .addOption(new Option('--format <FORMAT>', 'default: table on a terminal, else csv').choices(FORMATS))
    .option('--file <FILE>', 'read the statement from a file')
    .option('--database <NAME>', 'database of tables that are named without one', 'influxdb-line-protocol')
    .addOption(
      new Option('--endpoint-url <URL>', 'URL of the local server').default('http://localhost:9001').argParser(httpUrl),
    )
    .option('--aws', 'query Amazon Timestream with your own credentials')
    .option('--region <REGION>', 'AWS region for --aws (default: AWS_REGION)')
    .option('--profile <NAME>', 'AWS profile for --aws (default: AWS_PROFILE)')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(words: readonly string[], options: Options, command: Command): Promise<void> {
  const { aws = false, database, endpointUrl, file, profile, region } = options;
  if (aws && command.getOptionValueSource('endpointUrl') === 'cli') {
    throw new UsageError(
      '--endpoint-url names a local server, but --aws queries Amazon Timestream: give only one of them',
    );
  }
  if (file !== undefined && words.length > 0) throw new UsageError('give a statement or --file, not both');
  const format = options.format ?? (process.stdout.isTTY ? 'table' : 'csv');
  if (profile !== undefined) process.env.AWS_PROFILE = profile;
  const statement = await statementOf(words.join(' '), file);
  const sql = statement === undefined ? undefined : sqlOf(statement, database);
  if (sql === '') throw new UsageError('the statement is empty');
  if (statement !== undefined && sql === undefined) {
    if (statement.trim() !== '.help') throw new UsageError(`${notACommand(statement)}:\n${SHORT_FORMS}`);
    console.log(SHORT_FORMS);
    return;
  }
  const { queryService } = await import('../query/service');
  const service = await queryService(aws ? undefined : endpointUrl, region);
  const show = async (each: string): Promise<void> => {
    for await (const part of formatted(format, service.pages(each))) {
      if (!process.stdout.write(part)) await once(process.stdout, 'drain');
    }
  };
  if (sql !== undefined) return await show(sql);
  const { shell } = await import('../query/shell');
  await shell({ input: process.stdin, output: process.stdout, database, run: show });
}

/** Undefined if the user is to type statements at a prompt. */
async function statementOf(words: string, file: string | undefined): Promise<string | undefined> {
  if (file !== undefined) {
    return await readFile(file, 'utf8').catch((error: Error) => {
      throw new UsageError(`--file ${file} cannot be read: ${error.message}`);
    });
  }
  if (words === '' && process.stdin.isTTY) return undefined;
  return words === '' || words === '-' ? await text(process.stdin) : words;
}
