/** Makes a mapping concrete for one file: patterns become columns, and every name is written out. All later code sees this form only. */
import { DataConversionError } from '../errors';
import { columnPattern, columnSelection } from './column-pattern';
import { explicitColumns, requiredColumns } from './columns';
import type { DatasetMapping, Encoding, FieldMapping, FieldType, TagMapping } from './mapping';
import type { SingleField } from './mapping-rules';
import { isKey, repeated } from './names';

/** A mapping without patterns, for one file. It is plain data. */
export interface ConcreteMapping {
  readonly name: string;
  /** A constant, or the column of the file or its path. */
  readonly measurement: string | { readonly column: string };
  readonly time: DatasetMapping['time'];
  readonly tags: readonly ConcreteTag[];
  /** Tags of every point, by key. */
  readonly constantTags: Readonly<Record<string, string>>;
  /** Whether tags are written as they are, instead of trimmed and without words such as `null`. */
  readonly verbatim: boolean;
  /** The text that a column must have in every row. */
  readonly expect: Readonly<Record<string, string>>;
  readonly fields: readonly ConcreteField[];
  /** The columns that the file or its path must have, each once. */
  readonly required: readonly string[];
  /** All columns that are used, each once: `required` first. The file may lack the others. */
  readonly columns: readonly string[];
  readonly checks: DatasetMapping['checks'];
}

export interface ConcreteTag {
  readonly column: string;
  readonly key: string;
  readonly required: boolean;
  /** How bytes become text; undefined for a column that is text itself. */
  readonly encoding: Encoding | undefined;
}

export interface ConcreteField {
  readonly column: string;
  readonly type: FieldType;
  /** Its key, unless `named` gives another. */
  readonly key: string;
  readonly required: boolean;
  readonly named: SingleField['named'];
  readonly encoding: Encoding | undefined;
  /** Of a timestamp. */
  readonly unit: FieldMapping['unit'];
  readonly zone: string | undefined;
  readonly as: NonNullable<FieldMapping['as']>;
}

/**
 * The mapping for a file with these columns. A column is used once by patterns: entries that name it come first, then the patterns of
 * tags, then those of fields, in the mapping's order. Patterns mean only columns of the file itself.
 * @param columns names of the file's columns, without structs
 * @param name of the file in messages
 * @throws DataConversionError if columns that patterns add have keys that clash or that InfluxDB reserves
 */
export function resolveMapping(
  mapping: DatasetMapping,
  columns: readonly string[],
  name = 'the file',
): ConcreteMapping {
  const taken = new Set(explicitColumns(mapping));
  const added = new Set<string>();
  const take = ({
    columns: pattern,
    except,
  }: {
    columns: string;
    except?: readonly string[] | undefined;
  }): string[] => {
    const found = columns.filter((column) => !taken.has(column)).filter(columnSelection(pattern, except));
    for (const column of found) {
      taken.add(column);
      added.add(column);
    }
    return found;
  };
  const tagsOf = (tags: readonly TagMapping[], required: boolean): ConcreteTag[] =>
    tags.flatMap((tag) => {
      if (typeof tag === 'string') return [{ column: tag, key: tag, required, encoding: undefined }];
      const { encoding } = tag;
      if ('column' in tag) return [{ column: tag.column, key: tag.name ?? tag.column, required, encoding }];
      return take(tag).map((column) => ({ column, key: column, required, encoding }));
    });
  const tags = [...tagsOf(mapping.tags.required, true), ...tagsOf(mapping.tags.optional, false)];
  const fields = mapping.fields.flatMap((field): ConcreteField[] => {
    const { type, encoding, unit, zone, as = 'ns' } = field;
    const rest = { type, encoding, unit, zone, as };
    if ('column' in field) {
      const { column, name: key = column, required = false, named } = field;
      return [{ column, key, required, named, ...rest }];
    }
    return take(field).map((column) => ({ column, key: column, required: false, named: undefined, ...rest }));
  });
  const { measurement, time, checks } = mapping;
  const constantTags = mapping.tags.constant ?? {};
  const required = [
    ...new Set([...requiredColumns(mapping), ...tags.filter((tag) => tag.required).map(({ column }) => column)]),
  ];
  const used = [
    ...tags.map(({ column }) => column),
    ...fields.flatMap(({ column, named }) => (named ? [column, named.by] : [column])),
    ...Object.keys(mapping.expect ?? {}),
  ];
  const concrete: ConcreteMapping = {
    ...{ name: mapping.name, measurement, time, tags, constantTags, fields, checks, required },
    verbatim: mapping.tags.verbatim ?? false,
    expect: mapping.expect ?? {},
    columns: [...new Set([...required, ...used])],
  };
  const problems = keyProblems(concrete, added);
  if (problems.length > 0) throw new DataConversionError(`${name}: ${problems.join(', ')}`, { object: name });
  return concrete;
}

/** The patterns of a mapping that no column of a file has the form of, each once. Columns that other entries use count too. */
export function unmatchedPatterns({ tags, fields }: DatasetMapping, columns: readonly string[]): string[] {
  const entries = [...tags.required, ...tags.optional, ...fields];
  const patterns = entries.flatMap((entry) => (typeof entry === 'object' && 'columns' in entry ? [entry.columns] : []));
  return [...new Set(patterns)].filter((pattern) => !columns.some(columnPattern(pattern)));
}

/** Problems of the keys that patterns added. The other keys were checked when the mapping was read. */
function keyProblems({ tags, constantTags, fields }: ConcreteMapping, added: ReadonlySet<string>): string[] {
  if (added.size === 0) return [];
  const tagKeys = [...tags.map(({ key }) => key), ...Object.keys(constantTags)];
  const fieldKeys = fields.filter(({ named }) => !named).map(({ key }) => key);
  const fieldSet = new Set(fieldKeys);
  const both = [...new Set(tagKeys)].filter((key) => fieldSet.has(key));
  const reserved = [...added].filter((key) => !isKey(key));
  const advice = 'give the column an entry with another `name`, or list it under `except`';
  return [
    ...repeated(tagKeys).map((key) => `two tags would be named ${key}: ${advice}`),
    ...repeated(fieldKeys).map((key) => `two fields would be named ${key}: ${advice}`),
    ...both.map((key) => `a tag and a field would be named ${key}: ${advice}`),
    ...reserved.map((key) => `InfluxDB cannot store the name ${key}: ${advice}`),
  ];
}
