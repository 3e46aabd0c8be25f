/** What a dataset mapping is: how the columns of a Parquet file become points, as data that users can write as JSON. */
import { z } from 'zod';
import { ConfigurationError } from '../errors';
import { mappingSchema } from './mapping-schema';
import { repeated } from './names';

export type { Encoding, FieldMapping, FieldType, TagMapping } from './mapping-schema';

/** A mapping as users write it. `resolveMapping` makes it concrete for one file. */
export type DatasetMapping = z.output<typeof mappingSchema>;

/** What DATASET_MAPPINGS may hold: one mapping or an array of them. */
export const mappingsSchema = z.union([mappingSchema, z.array(mappingSchema)]);

/**
 * Reads user mappings: one mapping or an array of them.
 * @throws ConfigurationError that lists every problem with its place, such as `mappings.time.zone: not an IANA time zone`,
 *   or `mappings[1].time.zone: ...` in an array.
 */
export function parseMappings(json: string, source = 'mappings'): DatasetMapping[] {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (error) {
    throw new ConfigurationError([`${source}: not JSON (${(error as Error).message})`]);
  }
  const isArray = Array.isArray(data);
  const parsed = z.array(mappingSchema).safeParse(isArray ? data : [data]);
  if (!parsed.success) {
    throw new ConfigurationError(
      parsed.error.issues
        .flatMap(leaves)
        .map((issue) => `${source}${place(isArray ? issue.path : issue.path.slice(1))}: ${messageOf(issue)}`),
    );
  }
  const twice = repeated(parsed.data.map(({ name }) => name));
  if (twice.length > 0) throw new ConfigurationError([`${source}: several mappings are named ${twice.join(', ')}`]);
  return parsed.data;
}

/** Users' mappings beside the built-in ones; a user's mapping replaces a built-in one of the same name. */
export function mergeMappings(builtIn: readonly DatasetMapping[], own: readonly DatasetMapping[]): DatasetMapping[] {
  return [...builtIn.filter(({ name }) => !own.some((mapping) => mapping.name === name)), ...own];
}

interface Issue extends Pick<z.core.$ZodIssue, 'path' | 'message'> {
  readonly code?: string | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ object: 'an object', record: 'an object', array: 'a list', string: 'a text', number: 'a number' },
  boolean: 'true or false',
};

/** An issue in words for the author of a mapping. */
function messageOf({ code, message }: Issue): string {
  const [, expected, received] = /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? [];
  if (code !== 'invalid_type' || expected === undefined) return message;
  const wanted = `must be ${TYPES[expected] ?? expected}`;
  return received === 'undefined' ? `is missing; it ${wanted}` : wanted;
}

/** An issue as it is; for a key of a record, its own issues; for a value that fits no form of a union, those of the form with the fewest. */
function leaves(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path: issue.path, message }));
  if (issue.code !== 'invalid_union') return [issue];
  const [nearest] = issue.errors.map((issues) => issues.flatMap(leaves)).sort((a, b) => a.length - b.length);
  if (!nearest) return [issue];
  return nearest.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
}

function place(path: readonly PropertyKey[]): string {
  return path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
}
