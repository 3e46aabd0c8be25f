/** What a mapping's members may not be together: names that clash, and options that do not fit a type. */
import { columnSelection } from './column-pattern';
import type { FieldMapping, TagMapping } from './mapping-schema';
import { isKey, renamed, repeated } from './names';

interface Rules {
  readonly tags: {
    readonly required: readonly TagMapping[];
    readonly optional: readonly TagMapping[];
    readonly constant?: Readonly<Record<string, string>> | undefined;
  };
  readonly fields: readonly FieldMapping[];
  readonly checks: { readonly known: Readonly<Record<string, unknown>> };
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export type SingleField = Extract<FieldMapping, { column: string }>;
/** A tag of one column, in its long form. */
export type SingleTag = Extract<TagMapping, { column: string }>;

export const singleFields = (fields: readonly FieldMapping[]): SingleField[] =>
  fields.filter((field): field is SingleField => 'column' in field);

/** The tags that an entry names, without patterns. */
export const singleTags = (tags: readonly TagMapping[]): SingleTag[] =>
  tags.flatMap((tag) => (typeof tag === 'string' ? [{ column: tag }] : 'column' in tag ? [tag] : []));

export function mappingProblems({ tags, fields, checks }: Rules): Problem[] {
  const entries = [...tags.required, ...tags.optional];
  const single = singleFields(fields);
  const tagKeys = [
    ...singleTags(entries).map(({ name, column }) => name ?? column),
    ...Object.keys(tags.constant ?? {}),
  ];
  // A field that a column names never has its own name.
  const fieldKeys = single.flatMap(({ name, column, named }) => (named ? [] : [name ?? column]));
  return [
    ...Object.entries({ tags: tagKeys, fields: fieldKeys }).flatMap(([what, names]) =>
      repeated(names).length > 0 ? [{ path: [what], message: `named twice: ${repeated(names).join(', ')}` }] : [],
    ),
    ...clashes(tagKeys, single).map((message) => ({ path: ['fields'], message })),
    ...singleTags(entries)
      .filter(({ name, column }) => name === undefined && !isKey(column))
      .map(({ column }) => ({ path: ['tags', column], message: 'InfluxDB reserves this name: give `name`' })),
    ...fields.flatMap(fieldProblems),
    ...Object.keys(checks.known)
      .filter((column) => !entries.some((tag) => means(tag, column)))
      .map((column) => ({ path: ['checks', 'known', column], message: 'not a tag of this mapping' })),
  ];
}

function fieldProblems(field: FieldMapping): Problem[] {
  const path = ['fields', 'column' in field ? field.column : field.columns];
  const { type, encoding, unit, zone, as } = field;
  const messages: string[] = [];
  if ('column' in field && !field.named && field.name === undefined && !isKey(field.column))
    messages.push('InfluxDB reserves this name: give `name`');
  if (type !== 'string' && encoding !== undefined) messages.push('only a string has an `encoding`');
  for (const [option, value] of Object.entries({ unit, zone, as })) {
    if (type !== 'timestamp' && value !== undefined) messages.push(`only a timestamp has \`${option}\``);
  }
  return messages.map((message) => ({ path, message }));
}

function means(tag: TagMapping, column: string): boolean {
  if (typeof tag === 'string') return tag === column;
  return 'column' in tag ? tag.column === column : columnSelection(tag.columns, tag.except)(column);
}

/**
 * Keys that two parts of one point could have: InfluxDB would keep one of the values, or refuse the point. Fields that are named by any
 * text are checked row by row.
 */
function clashes(tags: readonly string[], fields: readonly SingleField[]): string[] {
  const own = fields.flatMap(({ name, column, named }) => (named ? [] : [name ?? column]));
  const listed = fields.flatMap(({ named }) =>
    named?.otherwise === undefined ? [] : [...new Set([...Object.values(named.names ?? {}), named.otherwise])],
  );
  const named = [...listed, ...fields.flatMap(({ named }) => Object.values(named?.names ?? {}))];
  const moved = own.filter((name) => listed.includes(name)).map(renamed);
  const shared = (names: readonly string[], others: readonly string[]) => [
    ...new Set(names.filter((name) => others.includes(name))),
  ];
  const problems: [names: string[], problem: string][] = [
    [repeated(listed), 'several fields can be named'],
    [shared(tags, [...own, ...named, ...moved]), 'a tag and a field have the same name'],
    [shared(moved, [...own, ...named]), 'a field has the new name of a field whose own name is taken'],
  ];
  return problems
    .filter(([names]) => names.length > 0)
    .map(([names, problem]) => `${problem}: ${names.join(', ')} (give the field another \`name\`)`);
}
