/** How the tables of an export become points: the options of a load of an export. */
import { z } from 'zod';

const name = z.string().min(1, 'must not be empty');
/** A delimiter or an escape character of UNLOAD is one ASCII character. */
const character = z.string().regex(/^[\t -~]$/, 'must be one ASCII character');

export const exportOptionsSchema = z.strictObject({
  measurement: name
    .optional()
    .describe("The measurement of all points; default: the table's name, from folders DATABASE/TABLE/."),
  measureName: z
    .enum(['tag', 'drop', 'pivot', 'field'])
    .default('tag')
    .describe(
      'measure_name becomes a tag or a field, or is dropped (rows with another value than measureNameValue are invalid), or is the key of ' +
        'the fields of a single-measure table (pivot).',
    ),
  measureNameValue: name
    .optional()
    .describe('With drop: the measure_name of every row; default: influxdb-measure, which the connector writes.'),
  dimensions: z
    .array(name)
    .optional()
    .describe('The dimensions; default: the columns of text before measure_name. All others are measures.'),
  dimensionsToFields: z.array(name).default([]).describe('Dimensions that become fields instead of tags.'),
  timestamps: z
    .enum(['ns', 'rfc3339'])
    .default('ns')
    .describe('TIMESTAMP measures become integers, nanoseconds since 1970, or text.'),
  rename: z
    .record(name, name)
    .default({})
    .describe('Keys of tags and fields by column. A column that is named here is never left out.'),
  csv: z
    .strictObject({
      delimiter: character.default(',').describe('field_delimiter of UNLOAD.'),
      escape: character.default('\\').describe('escaped_by of UNLOAD.'),
    })
    .prefault({})
    .describe('The format of CSV files.'),
});

export type ExportOptions = z.output<typeof exportOptionsSchema>;
export type CsvOptions = ExportOptions['csv'];
