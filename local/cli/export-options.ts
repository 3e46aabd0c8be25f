/** The options of `load` for an export of Timestream for LiveAnalytics. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** As commander names them. */
export interface ExportOptions {
  readonly export?: string;
  readonly measurement?: string;
  readonly measureName?: string;
  readonly measureNameValue?: string;
  readonly dimensions?: readonly string[];
  readonly dimensionsToFields?: readonly string[];
  readonly timestamps?: string;
  readonly rename?: readonly string[];
  readonly csvDelimiter?: string;
  readonly csvEscape?: string;
}

/** The options that mean nothing without `export`. `measurement` is not among them, as the inference has it too. */
const DETAILS = [
  'measureName',
  'measureNameValue',
  'dimensions',
  'dimensionsToFields',
  'timestamps',
  'rename',
  'csvDelimiter',
  'csvEscape',
] as const;

/** The names of the options of an export; the failed items of its load know them already. */
export const EXPORT_OPTIONS: ReadonlySet<string> = new Set(['export', 'measurement', ...DETAILS]);

export function addExportOptions(command: Command): Command {
  return command
    .optionsGroup('Exports of Timestream for LiveAnalytics:')
    .option('--export <DIR>', 'load the export by UNLOAD in this folder or s3:// address, instead of SOURCE')
    .addOption(
      new Option('--measure-name <FORM>', 'what becomes of measure_name (default: tag)').choices([
        'tag',
        'drop',
        'pivot',
        'field',
      ]),
    )
    .option('--measure-name-value <TEXT>', 'with drop: the measure_name of every row (default: influxdb-measure)')
    .option('--dimensions <NAMES>', 'the dimensions, comma-separated (default: text columns before measure_name)', list)
    .option('--dimensions-to-fields <NAMES>', 'dimensions that become fields, comma-separated', list)
    .addOption(new Option('--timestamps <FORM>', 'TIMESTAMP measures (default: ns)').choices(['ns', 'rfc3339']))
    .option('--rename <COLUMN=KEY>', 'key of a tag or field; may be repeated', renames)
    .option('--csv-delimiter <CHARACTER>', 'field_delimiter of a CSV export (default: ,)', character)
    .option('--csv-escape <CHARACTER>', 'escaped_by of a CSV export (default: \\)', character);
}

/** A given option that needs `--export`, as its name in commander. */
export const detailWithoutExport = (options: ExportOptions): string | undefined =>
  options.export === undefined ? DETAILS.find((name) => options[name] !== undefined) : undefined;

/** The options in the form of a load's input. */
export function exportInput(options: ExportOptions): object {
  const { measurement, measureName, measureNameValue, dimensions, dimensionsToFields, timestamps } = options;
  const rename = Object.fromEntries(
    (options.rename ?? []).map((pair) => [pair.slice(0, pair.lastIndexOf('=')), pair.slice(pair.lastIndexOf('=') + 1)]),
  );
  const csv = { delimiter: options.csvDelimiter, escape: options.csvEscape };
  const given = { measurement, measureName, measureNameValue, dimensions, dimensionsToFields, timestamps, rename, csv };
  // Without the options that were not given.
  return JSON.parse(JSON.stringify(given)) as object;
}

function list(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('It must be names, separated by commas.');
  return names;
}

function renames(text: string, earlier: readonly string[] = []): string[] {
  if (!/^.+=.+$/s.test(text)) throw new InvalidArgumentError('It must be COLUMN=KEY.');
  return [...earlier, text];
}

function character(text: string): string {
  const value = text === '\\t' ? '\t' : text;
  if (!/^[\t -~]$/.test(value)) throw new InvalidArgumentError('It must be one ASCII character; \\t is a tab.');
  return value;
}
