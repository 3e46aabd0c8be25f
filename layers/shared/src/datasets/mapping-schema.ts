/** The JSON form of a dataset mapping. Rules across several members are in `mapping-rules`. */
import { z } from 'zod';
import { mappingProblems } from './mapping-rules';
import { isMeasurement } from './names';
import { pathProblem } from './path-pattern';

const text = z.string().trim().min(1);
/** As in the file: Parquet's names may begin or end with spaces. */
const column = z.string().min(1);
/** A tag's or field's key, as `isKey` of `names`, which does without zod because worker threads load it. */
const key = z
  .string()
  .min(1)
  .refine((name) => name !== 'time' && !name.startsWith('_'), 'InfluxDB reserves this name')
  .refine((name) => !name.endsWith('\\'), 'line protocol cannot hold a name that ends in a backslash');
const zone = text.refine(isZone, 'not an IANA time zone such as America/Sao_Paulo');
const unit = z.enum(['s', 'ms', 'us', 'ns']);
const encoding = z.enum(['hex', 'base64']).describe('For a column of bytes: how its bytes are written as text.');
const columns = column.describe(
  'Columns of the file by pattern: `*` is any text. Columns that an entry names are not meant.',
);
const except = z.array(column).describe('Columns or patterns of columns that `columns` does not mean.');

const tagSchema = z.union([
  key.describe('A column; its name is the tag.'),
  z.strictObject({
    column: column.describe('The column.'),
    name: key.optional().describe('The tag; default: the name of the column.'),
    encoding: encoding.optional(),
  }),
  z.strictObject({ columns, except: except.optional(), encoding: encoding.optional() }),
]);

const FIELD_TYPES = ['number', 'text', 'float', 'integer', 'unsigned', 'boolean', 'string', 'timestamp'] as const;

const typed = {
  type: z
    .enum(FIELD_TYPES)
    .describe(
      'number: any number, boolean (1 or 0) or numeric text, as the nearest float. text: any column as a string, for columns with few ' +
        'different values. float, integer (64 bits, signed), unsigned (64 bits), boolean, string: a value that the type cannot hold ' +
        'exactly is never changed. timestamp: a time, as an integer or RFC 3339 text.',
    ),
  encoding: encoding.optional(),
  unit: unit.optional().describe('For a timestamp: the unit of an integer column, counted since 1970.'),
  zone: zone.optional().describe('For a timestamp: the IANA time zone of wall-clock times; default: UTC.'),
  as: z
    .enum([...unit.options, 'rfc3339'])
    .optional()
    .describe('For a timestamp: an integer field in this unit since 1970, or a string field; default: ns.'),
};

const fieldSchema = z.union([
  z.strictObject({
    column: column.describe('The column of the Parquet file.'),
    ...typed,
    name: key.optional().describe("The field's key; default: the name of the column."),
    required: z
      .boolean()
      .optional()
      .describe(
        'true: a row whose value is null, NaN, infinite, unreadable or outside the type is invalid. false: the field is left out of its point.',
      ),
    named: z
      .strictObject({
        by: column.describe('The other column.'),
        names: z.record(text, key).optional().describe('Field keys by text of the other column.'),
        otherwise: key
          .optional()
          .describe(
            'The field key for any other text; default: the text itself, and then a row with a value but without a text is invalid.',
          ),
      })
      .optional()
      .describe("The field's key by the trimmed text of another column, for one column that holds several quantities."),
  }),
  z.strictObject({ columns, except: except.optional(), ...typed }),
]);

export const mappingSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]*$/, 'lower-case letters, digits, - and _')
      .describe('The name of the dataset, as in `dataset=NAME` of a key.'),
    path: text
      .superRefine((pattern, context) => {
        const problem = pathProblem(pattern);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .optional()
      .describe(
        'The end of the keys of this dataset: `{name}` is a column that the path supplies, `*` any text within a folder or file name, ' +
          '`**` any folders.',
      ),
    measurement: z
      .union([
        text.refine(isMeasurement, 'may not begin with _ or #, nor end in a backslash'),
        z.strictObject({ column: column.describe('The column of the measurement.') }),
      ])
      .describe(
        'The measurement of all points, or its column; a measurement may not begin with _ or #, nor end in a backslash.',
      ),
    time: z.strictObject({
      column: column.describe('The column of the time.'),
      unit: unit
        .optional()
        .describe('The unit of an integer column, counted since 1970. Required for an integer column.'),
      zone: zone.optional().describe('The IANA time zone of wall-clock times; default: UTC.'),
    }),
    tags: z.strictObject({
      required: z.array(tagSchema).default([]).describe('Tag columns; a row without a value is invalid.'),
      optional: z.array(tagSchema).default([]).describe('Tag columns; a point without a value has no such tag.'),
      constant: z
        .record(
          key,
          text.refine((value) => !value.endsWith('\\'), 'line protocol cannot hold a tag that ends in a backslash'),
        )
        .optional()
        .describe('Tags of every point, by key.'),
      verbatim: z
        .boolean()
        .optional()
        .describe(
          'true: values are tags as they are; only null and empty text mean no tag. Default: values are trimmed, and `nan`, `none` and ' +
            '`null` mean no tag either.',
        ),
    }),
    fields: z.array(fieldSchema).min(1),
    expect: z
      .record(column, z.string())
      .optional()
      .describe('The text that columns must have in every row; a row with another value is invalid.'),
    required: z
      .array(column)
      .default([])
      .describe('Further columns that the file must have, beside the time and the required tags and fields.'),
    checks: z
      .strictObject({
        known: z.record(column, z.array(text)).default({}).describe('Known values by tag column.'),
        ranges: z
          .record(column, z.strictObject({ min: z.number().optional(), max: z.number().optional() }))
          .default({})
          .describe('Range of values by column.'),
      })
      .default({ known: {}, ranges: {} })
      .describe('Expectations. A row that does not meet one is loaded, and counted as a warning.'),
  })
  .superRefine((mapping, context) => {
    for (const { path, message } of mappingProblems(mapping))
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .meta({ id: 'DatasetMapping' });

export type TagMapping = z.output<typeof tagSchema>;
export type FieldMapping = z.output<typeof fieldSchema>;
export type FieldType = FieldMapping['type'];
export type Encoding = z.output<typeof encoding>;

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
