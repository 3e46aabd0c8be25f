/** A migration: the tables, range and options that a user requests, validated and with defaults. */
import { z } from 'zod';
import { InvalidEventError } from '../errors';
import { toNanoseconds } from '../nanoseconds';
import { validate } from '../validation';

/** A name in Timestream. Source: "Naming constraints" in the Timestream developer guide; names of tables have at least 3 bytes. */
const name = z.string().min(1, 'must not be empty').max(256);
/** The first and the last whole second of 64-bit nanoseconds, ms since 1970. */
const [FIRST, LAST] = [-9_223_372_036_000, 9_223_372_036_000];
const instant = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2024-01-01T00:00:00Z' })
  .refine((text) => Date.parse(text) >= FIRST && Date.parse(text) < LAST, 'must be between 1677-09-22 and 2262-04-11')
  .describe('RFC 3339, up to ns.');

export const mappingOptionsSchema = z.strictObject({
  measureName: z
    .enum(['tag', 'drop', 'pivot', 'field'])
    .default('tag')
    .describe(
      'tag: a tag `measure_name`. drop: left out; all rows of a table must have one value. pivot: the field key of ' +
        '`measure_value::type`. field: a string field `measure_name`.',
    ),
  dimensionsToFields: z.array(name).default([]).describe('Dimensions that become string fields instead of tags.'),
  timestamps: z
    .enum(['ns', 'rfc3339'])
    .default('ns')
    .describe('TIMESTAMP measures: an integer, ns since 1970, or text.'),
});
/** How columns become tags and fields. The same for all tables of a migration. */
export type MappingOptions = Readonly<z.output<typeof mappingOptionsSchema>>;

const requestSchema = z.strictObject({
  database: name.describe('The database in Timestream.'),
  tables: z
    .array(name)
    .min(1)
    .max(1000)
    .default(['*'])
    .describe('Names of tables, or globs: `*` is any text, `?` is one character.'),
  from: z
    .union([z.literal('last'), instant])
    .nullish()
    .describe(
      "The first time. `last`: where the table's last proved migration ended, with an overlap. Default: the table's first time.",
    ),
  to: instant.nullish().describe('The end of the range, exclusive. Default: the time when the migration starts.'),
  export: z
    .string()
    .regex(/^s3:\/\/[^/\s]+\/(.*\/)?$/s, 'must be s3://BUCKET/ or s3://BUCKET/PREFIX/')
    .describe('The folder of the exported files, in the region and account of Timestream.'),
  mapping: mappingOptionsSchema.prefault({}),
  verify: z
    .enum(['counts', 'sums', 'none'])
    .default('counts')
    .describe(
      'counts: per field and window. sums: also sums of numbers, and of the characters of texts. none: nothing is compared.',
    ),
  allowMerges: z
    .boolean()
    .default(false)
    .describe(
      'Accepts that values are lost where rows become one point, because dimensions or measure_name become fields.',
    ),
  verifyOnly: z
    .boolean()
    .default(false)
    .describe('Verifies an earlier migration again, and exports and loads nothing.'),
  dryRun: z.boolean().default(false).describe('Surveys the tables, and exports and loads nothing.'),
});

/** A range from `last` is checked when the end of the last migration is known. */
const isForward = ({ from, to }: z.output<typeof requestSchema>): boolean =>
  !from || from === 'last' || !to || toNanoseconds(from) < toNanoseconds(to);

export const migrationRequestSchema = requestSchema.refine(isForward, { path: ['from'], error: 'must be before to' });

/** The input of `POST /migrations` and of an execution, without `resume`. */
export type MigrationRequest = Readonly<z.output<typeof migrationRequestSchema>>;

/** Continues a migration that has ended or was stopped. Its request, survey and ledger are used unchanged. */
const resumeSchema = z.strictObject({
  resume: z.string().regex(/^[\w-]{1,80}$/, 'must be the id of a migration'),
  verifyOnly: z.boolean().default(false),
});
export type MigrationInput = MigrationRequest | z.output<typeof resumeSchema>;

/** The id of the ledger that an execution uses: that of the migration that it resumes, or its own name. */
export function ledgerId(executionName: string, input: unknown): string {
  const resumed = resumeSchema.pick({ resume: true }).strip().safeParse(input).data;
  return resumed?.resume ?? executionName;
}

const bodySchema = z.looseObject({ clientToken: z.string().min(1).max(256).nullish() });

/**
 * The body of `POST /migrations` as the input of an execution, and its client token.
 * @throws InvalidEventError if it is not a JSON object, or the token is not a text
 */
export function withoutClientToken(body: unknown) {
  const { clientToken, ...input } = validate(bodySchema, body, 'the body');
  return { clientToken, input };
}

/**
 * Reads the input of an execution.
 * @throws InvalidEventError that lists every problem
 */
export function readMigrationInput(input: unknown): MigrationInput {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidEventError('the input must be a JSON object with database and export, or with resume');
  }
  if ('resume' in input) return validate(resumeSchema, input, 'the input');
  return validate(migrationRequestSchema, input, 'the input');
}
