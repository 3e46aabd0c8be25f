/** What a dataset mapping is: how the columns of a Parquet file become points, as data that users can write as JSON. */
import { z } from 'zod';
import { ConfigurationError } from '../errors';

const text = z.string().trim().min(1);
/** As it stands in the file: Parquet's names may begin or end with spaces. */
const column = z.string().min(1);
/** Names that InfluxDB keeps for itself: a tag or field of such a name is refused by the server, point by point. */
const key = column
  .refine((name) => name !== 'time' && !name.startsWith('_'), 'InfluxDB reserves this name')
  .refine((name) => !name.endsWith('\\'), 'line protocol cannot hold a name that ends in a backslash');
const zone = text.refine(isZone, 'not an IANA time zone such as America/Sao_Paulo');

const fieldSchema = z.strictObject({
  column: column.describe('The column of the Parquet file.'),
  type: z
    .enum(['number', 'text'])
    .describe('number: any number, boolean (1 or 0) or numeric text, written as a float. text: written as a string.'),
  name: key.optional().describe("The field's key; default: the name of the column."),
  required: z
    .boolean()
    .optional()
    .describe(
      'true: a row whose value is null, NaN, infinite or unreadable is invalid. false: the field is left out of its point.',
    ),
  named: z
    .strictObject({
      by: column.describe('The other column.'),
      names: z.record(text, key).describe('Field keys by text of the other column.'),
      otherwise: key.describe('The field key for any other text.'),
    })
    .optional()
    .describe("The field's key by the trimmed text of another column, for one column that holds several quantities."),
});

const mappingSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]*$/, 'lower-case letters, digits, - and _')
      .describe('The name of the dataset, as in `dataset=NAME` of a key.'),
    measurement: text
      .refine((name) => !/^[_#]/.test(name), 'may not begin with _ or #')
      .describe('The measurement of all points; may not begin with _ or #.'),
    time: z.strictObject({
      column: column.describe('The column of the time.'),
      unit: z
        .enum(['s', 'ms', 'us', 'ns'])
        .optional()
        .describe('The unit of an integer column, counted since 1970. Required for an integer column.'),
      zone: zone.optional().describe('The IANA time zone of wall-clock times; default: UTC.'),
    }),
    tags: z.strictObject({
      required: z.array(key).default([]).describe('Tag columns; a row without a value is invalid.'),
      optional: z.array(key).default([]).describe('Tag columns; a point without a value has no such tag.'),
    }),
    fields: z.array(fieldSchema).min(1),
    required: z
      .array(column)
      .default([])
      .describe('Further columns that the file must have, beside the time and the required tags and fields.'),
    checks: z
      .strictObject({
        known: z.record(column, z.array(text)).default({}).describe('Known values by tag.'),
        ranges: z
          .record(column, z.strictObject({ min: z.number().optional(), max: z.number().optional() }))
          .default({})
          .describe('Range of values by column.'),
      })
      .default({ known: {}, ranges: {} })
      .describe('Expectations. A row that does not meet one is loaded, and counted as a warning.'),
  })
  .superRefine((mapping, context) => {
    const tags = [...mapping.tags.required, ...mapping.tags.optional];
    const fields = mapping.fields.map((field) => field.name ?? field.column);
    for (const [what, names] of Object.entries({ tags, fields })) {
      const twice = names.filter((name, index) => names.indexOf(name) !== index);
      if (twice.length > 0)
        context.addIssue({ code: 'custom', path: [what], message: `named twice: ${twice.join(', ')}` });
    }
    for (const message of clashes(tags, mapping.fields))
      context.addIssue({ code: 'custom', path: ['fields'], message });
    for (const field of mapping.fields) {
      if (field.named && field.type !== 'number')
        context.addIssue({
          code: 'custom',
          path: ['fields', field.column],
          message: 'only a number can be named by a unit',
        });
      if (!field.named && field.name === undefined && !key.safeParse(field.column).success)
        context.addIssue({
          code: 'custom',
          path: ['fields', field.column],
          message: 'InfluxDB reserves this name: give `name`',
        });
    }
    for (const column of Object.keys(mapping.checks.known)) {
      if (!tags.includes(column))
        context.addIssue({ code: 'custom', path: ['checks', 'known', column], message: 'not a tag of this mapping' });
    }
  })
  .meta({ id: 'DatasetMapping' });

/** The key of a field whose own key is taken in a file by a field that is named by a column. */
export const renamed = (key: string): string => `nominal_${key}`;

/** Keys that two parts of one point could have: InfluxDB would keep one of the values, or refuse the point. */
function clashes(tags: readonly string[], fields: readonly z.output<typeof fieldSchema>[]): string[] {
  const own = fields.flatMap(({ name, column, named }) => (named ? [] : [name ?? column]));
  const named = fields.flatMap(({ named }) =>
    named ? [...new Set([...Object.values(named.names), named.otherwise])] : [],
  );
  const moved = own.filter((name) => named.includes(name)).map(renamed);
  const shared = (names: readonly string[], others: readonly string[]) => [
    ...new Set(names.filter((name) => others.includes(name))),
  ];
  const problems: [names: string[], problem: string][] = [
    [named.filter((name, index) => named.indexOf(name) !== index), 'several fields can be named'],
    [shared(tags, [...own, ...named, ...moved]), 'a tag and a field have the same name'],
    [shared(moved, [...own, ...named]), 'a field has the new name of a field whose own name is taken'],
  ];
  return problems
    .filter(([names]) => names.length > 0)
    .map(([names, problem]) => `${problem}: ${[...new Set(names)].join(', ')} (give the field another \`name\`)`);
}

/** What DATASET_MAPPINGS may hold: one mapping or an array of them. */
export const mappingsSchema = z.union([mappingSchema, z.array(mappingSchema)]);

export type DatasetMapping = z.output<typeof mappingSchema>;
export type FieldMapping = DatasetMapping['fields'][number];

/**
 * Reads user mappings: one mapping or an array of them.
 * @throws ConfigurationError that lists every problem with its place, such as `mappings[0].time.zone: not an IANA time zone`.
 */
export function parseMappings(json: string, source = 'mappings'): DatasetMapping[] {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (error) {
    throw new ConfigurationError([`${source}: not JSON (${(error as Error).message})`]);
  }
  const parsed = z.array(mappingSchema).safeParse(Array.isArray(data) ? data : [data]);
  if (!parsed.success) {
    throw new ConfigurationError(parsed.error.issues.map(({ path, message }) => `${source}${place(path)}: ${message}`));
  }
  const names = parsed.data.map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) throw new ConfigurationError([`${source}: several mappings are named ${twice.join(', ')}`]);
  return parsed.data;
}

/** Users' mappings beside the built-in ones; a user's mapping replaces a built-in one of the same name. */
export function mergeMappings(builtIn: readonly DatasetMapping[], own: readonly DatasetMapping[]): DatasetMapping[] {
  return [...builtIn.filter(({ name }) => !own.some((mapping) => mapping.name === name)), ...own];
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function place(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}
