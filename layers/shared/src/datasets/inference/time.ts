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
export const isInReach = ({ range }: SampledColumn): boolean =>
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
 * @param given a column that the user chose
 * @param unit of an integer column, that the user gave
 * @throws DataConversionError that says what to add: for no time column, a column that is not a time, or integers without a unit
 */
export function chooseTime(columns: readonly SampledColumn[], given?: string, unit?: TimeUnit): TimeChoice {
  if (given !== undefined) return chosen(givenColumn(columns, given), unit, []);
  const candidates = columns.flatMap((column) => candidateOf(column) ?? []).sort(byRank);
  const [best, ...others] = candidates;
  if (!best) throw new DataConversionError(noTime(columns));
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
    return { column, unit, why: `${column.declared}, counted in ${unit}: ${rangeText(column, unit)}`, ambiguities };
  }
  if (unit !== undefined)
    throw new DataConversionError(
      `--time-unit is the unit of integers, but the time column ${column.name} is ${column.declared}: omit it, or name another column with --time`,
    );
  const far = isInReach(column)
    ? []
    : [`${column.name} has times outside the years 1677 to 2262, which InfluxDB cannot store: these rows are invalid`];
  return { column, why: `${column.declared}${zoneNote(column, form)}`, ambiguities: [...ambiguities, ...far] };
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

function givenColumn(columns: readonly SampledColumn[], given: string): Pick<Candidate, 'column' | 'form'> {
  const column = columns.find(({ name }) => name === given);
  if (!column) throw new DataConversionError(`--time: there is no column ${given}. ${listed(columns)}`);
  const form = formOf(column);
  if (form !== undefined) return { column, form };
  throw new DataConversionError(`--time: column ${given} is ${column.declared}, which is not a time`);
}

function formOf({ types, texts, values }: SampledColumn): Form | undefined {
  const forms = types.map(({ kind }): Form | undefined => {
    if (kind === 'timestamp' || kind === 'int96') return 'timestamp';
    if (kind === 'date' || kind === 'integer') return kind;
    return kind === 'text' && texts?.areTimes && values?.length !== 0 ? 'text' : undefined;
  });
  return forms.every((form) => form === forms[0]) ? forms[0] : undefined;
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
  const start = `column ${column.name} is the time, but its integers (${min} to ${max}) need a unit: `;
  if (unit === undefined) return `${start}add --time-unit with one of ${TIME_UNITS.join(', ')}`;
  return `${start}in ${unit} they are ${rangeText(column, unit)}. If that is right, add --time-unit ${unit}`;
}

function rangeText({ range }: SampledColumn, unit: TimeUnit): string {
  if (!range) return 'no value';
  return `${dateText(range.min / PER_SECOND[unit])} to ${dateText(range.max / PER_SECOND[unit])}`;
}

function dateText(seconds: number): string {
  const date = new Date(Math.floor(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? 'a year beyond 9999' : `${date.toISOString().slice(0, 19)}Z`;
}

function zoneNote({ types }: SampledColumn, form: Form): string {
  const isWall = types.some((type) => type.kind === 'date' || (type.kind === 'timestamp' && !type.isInstant));
  if (form === 'text') return ' in ISO 8601; texts without an offset are read as UTC (time.zone sets another zone)';
  return isWall ? ', without a time zone: read as UTC (time.zone sets another)' : '';
}

function noTime(columns: readonly SampledColumn[]): string {
  const integers = columns.filter(({ types }) => types.every(({ kind }) => kind === 'integer')).map(({ name }) => name);
  const hint =
    integers.length === 0
      ? 'A point needs a time: a TIMESTAMP, DATE or INT96 column, text in ISO 8601, or integers with a unit'
      : `If integers count the time, name their column and unit, such as --time ${words(integers[0] ?? '')} --time-unit ms`;
  return `no column is a time. ${listed(columns)}. ${hint}`;
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
