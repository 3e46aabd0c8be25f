/** Decides for each column but the time: tag, field of which type, or left out. */
import { number } from '../../count-text';
import type { ColumnType } from '../../parquet/column-type';
import { isNoTag, storedTag } from '../../points/escape';
import { isCalendarName } from './calendar';
import type { SampledColumn } from './columns';
import type { InferenceChoices, InferredField } from './infer';
import { isInReach, words } from './time';

/** Texts with at most this many values are tags in any sample. */
const FEW = 20;
/** A text that repeats this often is a tag, with up to MAX_LISTED values. */
const MIN_REPEATS = 4;
/** Decimals of up to 15 digits have a double of their own. */
const EXACT_DIGITS = 15;
const LONG_DIGITS = 18;

interface FieldDecision {
  readonly type: InferredField['type'];
  readonly encoding?: 'hex';
  readonly as?: InferredField['as'];
  readonly why: string;
  readonly doubt?: string;
}

/** Whether the column is a folder that is named like a part of the time and has such values. */
export function isCalendar({ name, isInPath, texts, nullShare }: SampledColumn): boolean {
  return isInPath && isCalendarName(name) && (texts?.areNumbers || texts?.areTimes || nullShare === 1);
}

/**
 * Why a column is not used; undefined if it is.
 * @param repeatsTime whether the values of a folder that is named like a part of the time are those of the times
 */
export function leftOutWhy(
  column: SampledColumn,
  measurement: string,
  isChosen: boolean,
  repeatsTime: boolean,
): string | undefined {
  const { name, types, isInPath, values, numbersRows } = column;
  const [unusable] = types.flatMap((type) => (type.kind === 'unusable' ? [type.why] : []));
  if (unusable !== undefined) return unusable;
  if (name === '') return 'it has no name';
  if (isChosen) return undefined;
  if (types.every(({ kind }) => kind === 'null')) return 'it has no value in any row';
  if (isInPath && name.toLowerCase() === 'dataset' && values?.length === 1)
    return `it is the measurement, ${measurement}`;
  if (isCalendar(column) && repeatsTime) return `it repeats the time; --tag ${words(name)} makes it a tag`;
  if (isIndex(name) && types.every(({ kind }) => kind === 'integer') && numbersRows)
    return `it is an index of pandas, which numbers the rows; --field ${words(name)} keeps it`;
  return undefined;
}

/** The name that pandas gives to an index without one. */
const isIndex = (name: string): boolean => /^__index_level_\d+__$/.test(name);

/** Texts with few distinct values are tags. */
export function isTag(column: SampledColumn, choices: Pick<InferenceChoices, 'tags' | 'fields'>): boolean {
  const { name, types, isInPath, values, count, texts } = column;
  if (choices.tags.includes(name)) return true;
  if (choices.fields.includes(name)) return false;
  if (isInPath) return true;
  const isText = types.every(({ kind }) => kind === 'text' || kind === 'uuid');
  if (!isText || !values || values.length === 0 || texts?.areTimes || texts?.areUtf8 === false) return false;
  return values.length <= FEW || values.length * MIN_REPEATS <= count;
}

/** A question about a tag that the sample is too small for. */
export function tagDoubt(
  { name, isInPath, values, count }: SampledColumn,
  choices: Pick<InferenceChoices, 'tags'>,
): string | undefined {
  const amount = values?.length ?? 0;
  if (isInPath || choices.tags.includes(name) || amount < 2 || amount * MIN_REPEATS <= count) return undefined;
  return `${name} is a tag, but its values hardly repeat in the sample (${number(amount, 'value')} in ${number(count, 'row')}): --field ${words(name)} makes it a field`;
}

export function tagWhy({ values, declared, isInPath, nullShare }: SampledColumn): string {
  const count = values ? number(values.length, 'value') : 'many values';
  const examples = values && values.length > 0 ? ` such as ${shown(values)}` : '';
  const nulls = nullShare > 0 ? '; rows without a value have no such tag' : '';
  const empty = (values ?? []).filter(isNoTag).map((value) => JSON.stringify(value));
  const noTag =
    empty.length === 0 ? '' : `; ${empty.join(', ')} ${empty.length === 1 ? 'counts' : 'count'} as no value`;
  const trimmed = (values ?? []).find((value) => !isNoTag(value) && storedTag(value) !== value);
  const change =
    trimmed === undefined
      ? ''
      : `; stored without spaces around them and without backslashes at their end, such as ${JSON.stringify(trimmed)}`;
  const hasBreaks = values?.some((value) => /[\n\r\t]/.test(value.trim()));
  const breaks = hasBreaks ? String.raw`; line feeds and tabs are stored as the two characters \n and \t` : '';
  return `${isInPath ? 'a folder of the path' : declared}, ${count}${examples}${nulls}${noTag}${change}${breaks}`;
}

const MAX_TEXT = 30;

/** Up to three values. */
function shown(values: readonly string[]): string {
  return values
    .slice(0, 3)
    .map((value) => JSON.stringify(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value))
    .join(', ');
}

/** The type of a column as a field. Columns of several types have the type that keeps most of both. */
export function fieldOf(column: SampledColumn): FieldDecision {
  const decisions = column.types.filter(({ kind }) => kind !== 'null').map((type) => ofType(column, type));
  const [first] = decisions;
  if (!first) return { type: 'string', why: `${column.declared}, without a value` };
  const types = new Set(decisions.map(({ type }) => type));
  const encoding = decisions.some((decision) => decision.encoding) ? ({ encoding: 'hex' } as const) : {};
  if (types.size === 1) {
    // No unit fits all of them.
    const isMixed = decisions.some(({ as }) => as !== first.as);
    return { ...first, ...encoding, ...(isMixed && { as: 'rfc3339' }) };
  }
  const areIntegers = [...types].every((type) => type === 'integer' || type === 'unsigned');
  const areNumbers = [...types].every((type) => ['integer', 'unsigned', 'float'].includes(type));
  const type = areIntegers ? 'integer' : areNumbers ? 'float' : 'string';
  return { type, ...(type === 'string' && encoding), why: `${column.declared} in different files` };
}

function ofType(column: SampledColumn, type: ColumnType): FieldDecision {
  const { declared } = column;
  switch (type.kind) {
    case 'boolean':
      return { type: 'boolean', why: declared };
    case 'integer':
      return integerField(column, type.isSigned);
    case 'float':
      return { type: 'float', why: declared };
    case 'decimal':
      return decimalField(column, type.scale);
    case 'date':
    case 'timestamp':
    case 'int96':
      return timestampField(column, type);
    case 'bytes':
      return { type: 'string', encoding: 'hex', why: `${declared}, as hexadecimal digits` };
    case 'text':
      return textField(column);
    default:
      return { type: 'string', why: declared };
  }
}

function integerField({ name, declared, values, count }: SampledColumn, isSigned: boolean): FieldDecision {
  const isFew = values && values.length > 0 && (values.length <= FEW || values.length * MIN_REPEATS <= count);
  const isIdentifier =
    /(?:^|[^a-zA-Z])id$|[a-z]I[dD]$|^(?:code|number|no|nr|key)$|_(?:code|number|no|nr|key)$|^[A-Z]+ID$/i.test(name);
  const doubt =
    (isFew && isIdentifier) || isIndex(name)
      ? `${name} has integers that may identify a series (${values ? number(values.length, 'value') : 'many values'}): --tag ${words(name)} makes it a tag`
      : undefined;
  return { type: isSigned ? 'integer' : 'unsigned', why: declared, ...(doubt !== undefined && { doubt }) };
}

function timestampField(column: SampledColumn, type: ColumnType): FieldDecision {
  const { declared } = column;
  if (isInReach(column)) return { type: 'timestamp', why: `${declared}, in ns since 1970` };
  if (type.kind === 'timestamp' && type.unit !== 'ns')
    return {
      type: 'timestamp',
      as: type.unit,
      why: `${declared}, in ${type.unit} since 1970, because ns do not reach its years`,
    };
  if (type.kind === 'date')
    return { type: 'timestamp', as: 's', why: `${declared}, in s since 1970, because ns do not reach its years` };
  return {
    type: 'timestamp',
    as: 'rfc3339',
    why: `${declared}, as RFC 3339 text, because ns since 1970 do not reach its years`,
  };
}

function decimalField({ name, declared }: SampledColumn, scale: number): FieldDecision {
  // Files may differ.
  const digits = Math.max(0, ...[...declared.matchAll(/DECIMAL\((\d+),/g)].map(([, precision]) => Number(precision)));
  if (scale === 0 && digits <= LONG_DIGITS) return { type: 'integer', why: `${declared}, without a fraction` };
  if (digits <= EXACT_DIGITS) return { type: 'float', why: `${declared}, every value of it has its own double` };
  return {
    type: 'float',
    why: `${declared}, as the nearest double`,
    doubt: `${name} may have ${digits} digits, of which a float keeps 15 to 17: type "string" in the mapping keeps all`,
  };
}

function textField({ name, declared, values, texts, count }: SampledColumn): FieldDecision {
  // Bytes without a declared type are text in files of old writers, and otherwise any bytes.
  if (texts?.areUtf8 === false && declared === 'BYTE_ARRAY')
    return { type: 'string', encoding: 'hex', why: `${declared} that is not text, as hexadecimal digits` };
  const amount = values ? number(values.length, 'value') : 'many values';
  const why =
    count === 0 ? `${declared}, without a value in the sample` : `${declared}, ${amount} in ${number(count, 'row')}`;
  if (texts?.areNumbers && count > 0)
    return {
      type: 'string',
      why,
      doubt: `${name} has texts that are numbers: type "float" in the mapping stores numbers`,
    };
  return { type: 'string', why };
}
