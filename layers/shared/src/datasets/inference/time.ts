/** Chooses the time column by type and name, and the unit of integers. */
import { DataConversionError } from '../../errors';
import { parseIsoTime } from '../../points/iso-8601';
import type { SampledColumn } from './columns';
import type { ColumnProfile, FileProfile } from './profile';

export const TIME_UNITS = ['s', 'ms', 'us', 'ns'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];
const PER_SECOND: Readonly<Record<TimeUnit, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };
/** Seconds since 1970 of the years that measured data probably has. */
const LIKELY = { from: Date.UTC(1980, 0) / 1000, to: Date.UTC(2100, 0) / 1000 };

export interface TimeChoice {
  readonly column: SampledColumn;
  readonly unit?: TimeUnit;
  readonly why: string;
  readonly ambiguities: readonly string[];
}

/** Seconds since 1970 that fit into 64 bits of ns. */
const MAX_SECONDS = 9_223_372_036;

/** Whether ns since 1970 reach all values of a column of timestamps or dates. */
export const isInReach = ({ range }: Pick<SampledColumn, 'range'>): boolean =>
  range === undefined || (range.min >= -MAX_SECONDS && range.max < MAX_SECONDS);

/** How the column's values are times. */
type Form = 'timestamp' | 'date' | 'text' | 'integer';

interface Candidate {
  readonly column: SampledColumn;
  readonly form: Form;
  /** The lower, the better. */
  readonly rank: readonly number[];
}

/**
 * Returns the time column.
 * @param free the columns that the user did not choose for something else
 * @param unit of an integer column, that the user gave
 * @throws DataConversionError that says what to add: for no time column, or integers without a unit
 */
export function chooseTime(
  columns: readonly SampledColumn[],
  free: readonly SampledColumn[],
  unit?: TimeUnit,
): TimeChoice {
  const candidates = free.flatMap((column) => candidateOf(column) ?? []).sort(byRank);
  const [best, ...others] = candidates;
  if (!best) {
    const [only] = columns.flatMap((column) => candidateOf(column) ?? []).sort(byRank);
    throw new DataConversionError(
      only ? `column ${only.column.name} is the only time, so it cannot be a tag or a field` : noTime(columns),
    );
  }
  const rivals = others
    .filter(({ column, form }) => !column.isInPath && (form !== 'integer' || best.form !== 'timestamp'))
    // A column that is called time leaves no doubt.
    .filter(({ column }) => nameRank(best.column.name) > 0 || nameRank(column.name) === 0)
    .map(({ column }) => column.name);
  const ambiguities =
    rivals.length === 0
      ? []
      : [`the time could also be ${rivals.join(' or ')}: --time ${words(rivals[0] ?? '')} chooses it`];
  return chosen(best, unit, ambiguities);
}

function chosen(
  { column, form }: Pick<Candidate, 'column' | 'form'>,
  unit: TimeUnit | undefined,
  ambiguities: readonly string[],
): TimeChoice {
  if (form === 'integer') {
    if (unit === undefined) throw new DataConversionError(unitQuestion(column));
    return {
      ...{ column, unit, why: `${column.declared}, counted in ${unit}: ${rangeText(column, unit)}` },
      ambiguities: [...ambiguities, ...unitDoubts(column, unit)],
    };
  }
  if (unit !== undefined)
    throw new DataConversionError(
      `--time-unit is the unit of integers, but the time column ${column.name} is ${column.declared}: omit it, or name another column with --time`,
    );
  const far = isInReach(column)
    ? []
    : [`${column.name} has times outside the years 1677 to 2262, which InfluxDB cannot store: these rows are invalid`];
  const others = form === 'text' ? otherTexts(column) : [];
  return {
    column,
    why: `${column.declared}${zoneNote(column, form)}`,
    ambiguities: [...ambiguities, ...far, ...others],
  };
}

/** The first and last time in a file, s since 1970; undefined if it is not known. */
export function timesOf(
  { column: { name }, unit }: TimeChoice,
  columns: FileProfile['columns'],
  folders: ReadonlyMap<string, string | null>,
): ColumnProfile['range'] {
  const own = columns.find((column) => column.name === name);
  if (own) {
    const perSecond = own.type.kind === 'integer' ? PER_SECOND[unit ?? 's'] : 1;
    return own.range && { min: own.range.min / perSecond, max: own.range.max / perSecond };
  }
  const time = parseIsoTime(folders.get(name) ?? '');
  const seconds = time && time.seconds - (time.offset ?? 0);
  return seconds === undefined ? undefined : { min: seconds, max: seconds };
}

/**
 * Returns the time column that the user named.
 * @throws DataConversionError that says what to change: for a column that is not a time, or integers without a unit
 */
export function givenTime(columns: readonly SampledColumn[], given: string, unit?: TimeUnit): TimeChoice {
  const column = columns.find(({ name }) => name === given);
  if (!column) throw new DataConversionError(`--time: there is no column ${given}. ${listed(columns)}`);
  const form = formOf(column) ?? (isPartlyTimes(column) ? 'text' : undefined);
  if (form !== undefined) return chosen({ column, form }, unit, []);
  throw new DataConversionError(`--time: column ${given} ${notTimeWhy(column)}`);
}

function formOf({ types, texts, values }: SampledColumn): Form | undefined {
  const forms = types.map(({ kind }): Form | undefined => {
    if (kind === 'timestamp' || kind === 'int96') return 'timestamp';
    if (kind === 'date' || kind === 'integer') return kind;
    return kind === 'text' && texts?.areTimes && values?.length !== 0 ? 'text' : undefined;
  });
  return forms.every((form) => form === forms[0]) ? forms[0] : undefined;
}

/** Whether the column is text of which some are times. */
const isPartlyTimes = ({ types, texts }: SampledColumn): boolean =>
  types.every(({ kind }) => kind === 'text') && texts?.hasTimes === true && texts.notTime !== undefined;

function otherTexts({ name, texts }: SampledColumn): string[] {
  if (texts?.notTime === undefined) return [];
  return [
    `${name} has texts that are not times in ISO 8601, such as ${JSON.stringify(texts.notTime)}: these rows are invalid`,
  ];
}

const ISO_EXAMPLE = '2024-03-31T12:00:00Z';

/** Why a column is not the time, in words that continue its name. */
function notTimeWhy(column: SampledColumn): string {
  const { declared, types, texts, range, count } = column;
  if (count === 0 && formOf(column) !== undefined) return `is ${declared}, but has no value in the sampled rows`;
  if (types.some(({ kind }) => kind === 'float'))
    return `is ${declared}, which is not a time: convert it to a TIMESTAMP, or to integers with a unit`;
  if (types.every(({ kind }) => kind === 'text') && texts?.notTime !== undefined) {
    const example = JSON.stringify(texts.notTime);
    return isPartlyTimes(column)
      ? `has times in ISO 8601, but also ${example}: --time ${words(column.name)} takes it, and rows with other texts are invalid`
      : `is ${declared}, which is not a time: its texts, such as ${example}, are not ISO 8601 (${ISO_EXAMPLE}); convert them`;
  }
  if (range && formOf(column) === 'integer') {
    const isDate = isDateDigits(range.min) && isDateDigits(range.max);
    const numbers = `has integers (${range.min} to ${range.max})`;
    return isDate
      ? `${numbers} that look like dates in digits, which are not a time: convert them to a DATE`
      : `${numbers} that are no times of the years 1980 to 2099 in any unit`;
  }
  return `is ${declared}, which is not a time`;
}

/** Whether a number is a date in digits, such as 20240331. */
function isDateDigits(value: number): boolean {
  const digits = /^((?:19|20)\d\d)(\d\d)(\d\d)$/.exec(String(value));
  return digits !== null && parseIsoTime(digits.slice(1).join('-')) !== undefined;
}

function candidateOf(column: SampledColumn): Candidate | undefined {
  const form = formOf(column);
  if (form === undefined || column.nullShare === 1 || column.name === '') return undefined;
  const named = nameRank(column.name);
  const isNamed = named < UNNAMED;
  // Without a name of a time, integers and texts are considered last.
  const order: Readonly<Record<Form, number>> = {
    timestamp: 0,
    text: isNamed ? 1 : 4,
    integer: isNamed ? 2 : 5,
    date: 3,
  };
  if (form === 'integer' && likelyUnit(column) === undefined) return undefined;
  // All points of a file would have the time of its folder.
  const last = column.isInPath ? 6 : order[form];
  return { column, form, rank: [last, column.nullShare > 0.1 ? 1 : 0, named] };
}

const UNNAMED = 3;

/** How much a name is that of the time: 0 the most, UNNAMED not at all. */
function nameRank(name: string): number {
  const snake = name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '_');
  const plain = snake.replace(/^_|_$/g, '');
  if (/^(?:time|timestamp|ts|datetime|date_time|time_stamp)$/.test(plain)) return 0;
  if (
    /^(?:event|measured|measurement|observed|observation|recorded|sampled?|reading|logged|utc)_?(?:at|time|timestamp|ts|datetime|date|utc)$/.test(
      plain,
    )
  )
    return 1;
  return /(?:^|_)(?:time|timestamp|ts|datetime|date|day|epoch|at|when|utc)(?:_|$)|(?:time|date|timestamp)$/.test(plain)
    ? 2
    : UNNAMED;
}

function byRank(a: Candidate, b: Candidate): number {
  const at = a.rank.findIndex((value, index) => value !== b.rank[index]);
  return at < 0 ? 0 : (a.rank[at] ?? 0) - (b.rank[at] ?? 0);
}

/** The unit in which all values are times of these years; undefined if there is none. */
function likelyUnit({ range }: Pick<SampledColumn, 'range'>): TimeUnit | undefined {
  return TIME_UNITS.find((unit) => {
    const [from, to] = [LIKELY.from * PER_SECOND[unit], LIKELY.to * PER_SECOND[unit]];
    return range !== undefined && range.min >= from && range.max < to;
  });
}

function unitQuestion(column: SampledColumn): string {
  const unit = likelyUnit(column);
  const { min, max } = column.range ?? { min: 0, max: 0 };
  const start = `column ${column.name} is the time, but its integers (${integerText(min)} to ${integerText(max)}) need a unit: `;
  if (unit === undefined) return `${start}add --time-unit with one of ${TIME_UNITS.join(', ')}`;
  return `${start}in ${unit} they are ${rangeText(column, unit)}. If that is right, add --time-unit ${unit}`;
}

/** Ranges are doubles, which round integers of more than 53 bits. */
const integerText = (value: number): string => (Number.isSafeInteger(value) ? String(value) : `about ${value}`);

/** What is odd about the times that a given unit makes of the integers. */
function unitDoubts(column: SampledColumn, unit: TimeUnit): string[] {
  const { name, range } = column;
  const likely = likelyUnit(column);
  if (!range || likely === unit) return [];
  const perSecond = PER_SECOND[unit];
  const isFar = !isInReach({ range: { min: range.min / perSecond, max: range.max / perSecond } });
  const effect = isFar ? ', which InfluxDB cannot store: rows outside the years 1677 to 2262 are invalid' : '';
  const start = `in ${unit}, ${name} has times from ${rangeText(column, unit)}${effect}`;
  if (likely === undefined) return [`${start}: is that right?`];
  return [`${start}. In ${likely} they are ${rangeText(column, likely)}: --time-unit ${likely}`];
}

function rangeText({ range }: SampledColumn, unit: TimeUnit): string {
  if (!range) return 'no value';
  return `${dateText(range.min / PER_SECOND[unit])} to ${dateText(range.max / PER_SECOND[unit])}`;
}

function dateText(seconds: number): string {
  const date = new Date(Math.floor(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return `a time ${seconds < 0 ? 'before' : 'after'} all years`;
  const year = date.getUTCFullYear();
  return year < 0 || year > 9999 ? `the year ${year}` : `${date.toISOString().slice(0, 19)}Z`;
}

/** Names of columns and folders with a part of the time of the day. */
const OF_DAY = /^(?:hours?|hh|minutes?)$/i;

/** The doubt about a time column of days beside columns with the time of the day, which a mapping cannot join. */
export function daysOnly(time: SampledColumn, columns: readonly SampledColumn[]): string | undefined {
  if (time.types.some(({ kind }) => kind !== 'date')) return undefined;
  const names = columns
    .filter(({ name, types }) => OF_DAY.test(name) || types.some(({ kind }) => kind === 'time'))
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  return `${time.name} has only days, and ${names.join(' and ')} the time of the day: all rows of a day would be stored at midnight. Write both into one TIMESTAMP column`;
}

function zoneNote({ types }: SampledColumn, form: Form): string {
  const isWall = types.some((type) => type.kind === 'date' || (type.kind === 'timestamp' && !type.isInstant));
  if (form === 'text') return ' in ISO 8601; texts without an offset are read as UTC (time.zone sets another zone)';
  return isWall ? ', without a time zone: read as UTC (time.zone sets another)' : '';
}

function noTime(columns: readonly SampledColumn[]): string {
  const suspects = columns.filter((column) => {
    const form = formOf(column);
    const isTimeType = form === 'timestamp' || form === 'date';
    return column.name !== '' && (isTimeType || isPartlyTimes(column) || nameRank(column.name) < UNNAMED);
  });
  const reasons = suspects.slice(0, 3).map((column) => `Column ${column.name} ${notTimeWhy(column)}`);
  const need = `A point needs a time: a TIMESTAMP, DATE or INT96 column, text in ISO 8601 (${ISO_EXAMPLE}), or integers that count s, ms, us or ns since 1970, which --time COLUMN --time-unit UNIT chooses`;
  return [`no column is a time`, listed(columns), ...reasons, need].join('. ');
}

const MAX_NAMES = 30;

function listed(columns: readonly SampledColumn[]): string {
  const names = columns.slice(0, MAX_NAMES).map(({ name, declared }) => `${name} (${declared})`);
  const others = columns.length > MAX_NAMES ? ` and ${columns.length - MAX_NAMES} more` : '';
  return `The columns are ${names.join(', ')}${others}`;
}

/** A name as a word of a shell. */
export const words = (name: string): string =>
  /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
