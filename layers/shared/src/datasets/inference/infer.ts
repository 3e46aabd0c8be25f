/** Infers a mapping from a sample: which column is the time, which are tags, and the type of each field. */
import { number } from '../../count-text';
import { DataConversionError } from '../../errors';
import { type DatedFile, repeatsTimes } from './calendar';
import { joinColumns, type PathColumn, type SampledColumn } from './columns';
import { datasetName, keysOf } from './names';
import type { FileProfile } from './profile';
import { fieldOf, isCalendar, isTag, leftOutWhy, tagDoubt, tagWhy } from './roles';
import { chooseTime, daysOnly, givenTime, type TimeChoice, type TimeUnit, timesOf } from './time';

/** What the user decides. */
export interface InferenceChoices {
  readonly time?: string | undefined;
  readonly timeUnit?: TimeUnit | undefined;
  /** Columns that are tags, or fields, whatever their values. */
  readonly tags: readonly string[];
  readonly fields: readonly string[];
}

/** What became of a column, and why. */
export interface Decision {
  readonly column: string;
  readonly role: 'time' | 'tag' | 'field' | 'left out';
  readonly why: string;
}

export interface InferredField {
  readonly column: string;
  readonly type: 'float' | 'integer' | 'unsigned' | 'boolean' | 'string' | 'timestamp';
  readonly name?: string;
  readonly encoding?: 'hex';
  readonly as?: 's' | 'ms' | 'us' | 'rfc3339';
}

export interface InferredTag {
  readonly column: string;
  readonly name?: string;
  readonly encoding?: 'hex';
}

/** A mapping in the form of `--mapping`. */
export interface InferredMapping {
  readonly name: string;
  readonly measurement: string;
  readonly time: { readonly column: string; readonly unit?: TimeUnit };
  readonly tags: { readonly optional: readonly (string | InferredTag)[] };
  readonly fields: readonly InferredField[];
}

export interface Inference {
  readonly mapping: InferredMapping;
  readonly decisions: readonly Decision[];
  /** Questions that the sample does not answer, each with the option that settles it. */
  readonly ambiguities: readonly string[];
  /** The maximum number of series: the product of the tags' values; undefined if the values of a tag are too many to list. */
  readonly maxSeries: number | undefined;
}

/**
 * Infers a mapping.
 * @throws DataConversionError that says what to add: for no time column, integers without a unit, no field, or an unknown column
 */
export function inferMapping(
  files: readonly FileProfile[],
  paths: readonly PathColumn[],
  measurement: string,
  choices: InferenceChoices,
): Inference {
  const { columns, differences } = joinColumns(files, paths);
  checkChoices(columns, choices);
  const isChosen = ({ name }: SampledColumn) => choices.tags.includes(name) || choices.fields.includes(name);
  const time =
    choices.time === undefined
      ? chooseTime(
          columns,
          columns.filter((column) => !isChosen(column)),
          choices.timeUnit,
        )
      : givenTime(columns, choices.time, choices.timeUnit);
  const others = columns.filter((column) => column !== time.column);
  const dated = datedFiles(files, time);
  const dropped = others.flatMap((column) => {
    const why = leftOutWhy(
      column,
      measurement,
      isChosen(column),
      repeatsTimes(column.name, dated, time.column.isInPath),
    );
    return why === undefined ? [] : [{ column, why }];
  });
  const used = others.filter((column) => dropped.every((each) => each.column !== column));
  const tags = used.filter((column) => isTag(column, choices));
  const moved = tags.length === used.length ? fieldInsteadOfTag(tags, choices) : undefined;
  const fields = used.filter((column) => column === moved || !tags.includes(column));
  if (fields.length === 0) throw new DataConversionError(noField(time.column.name, used, dropped));
  const kept = tags.filter((column) => column !== moved);
  const keys = keysOf(used.map(({ name }) => name));
  const renamed = ({ name }: SampledColumn) => (keys.get(name) === name ? undefined : keys.get(name));
  const renamedWhy = (column: SampledColumn) =>
    renamed(column) === undefined ? '' : `; named ${renamed(column)}, because InfluxDB does not accept its name`;
  const mappedFields = fields.map((column) => ({ column, ...fieldOf(column) }));

  return {
    mapping: {
      name: datasetName(measurement),
      measurement,
      time: { column: time.column.name, ...(time.unit && { unit: time.unit }) },
      tags: { optional: kept.map((column) => tagOf(column, renamed(column))) },
      fields: mappedFields.map(({ column, type, encoding, as }) => ({
        column: column.name,
        type,
        ...(renamed(column) !== undefined && { name: renamed(column) as string }),
        ...(encoding && { encoding }),
        ...(as && { as }),
      })),
    },
    decisions: [
      { column: time.column.name, role: 'time', why: time.why },
      ...kept.map((column) => ({
        column: column.name,
        role: 'tag' as const,
        why: `${tagWhy(column)}${renamedWhy(column)}`,
      })),
      ...mappedFields.map(({ column, type, why }) => ({
        column: column.name,
        role: 'field' as const,
        why: `${type}, from ${why}${renamedWhy(column)}`,
      })),
      ...dropped.map(({ column, why }) => ({ column: column.name, role: 'left out' as const, why })),
    ],
    ambiguities: [
      ...time.ambiguities,
      ...[daysOnly(time.column, others) ?? []].flat(),
      ...(time.column.nullShare > 0
        ? [`${percent(time.column.nullShare)} of the rows have no ${time.column.name}: they are invalid`]
        : []),
      ...(moved ? [`${moved.name} is a field only because every column would be a tag: --field chooses another`] : []),
      ...kept
        .filter((column) => isCalendar(column) && !choices.tags.includes(column.name))
        .map(({ name }) => calendarDoubt(name, time.column.name)),
      ...kept.flatMap((column) => tagDoubt(column, choices) ?? []),
      ...mappedFields.flatMap(({ column, doubt }) => (doubt === undefined || column === moved ? [] : [doubt])),
      ...differences,
    ],
    maxSeries: kept.reduce<number | undefined>(
      (product, { values, nullShare }) =>
        values && product !== undefined ? product * Math.max(1, values.length + (nullShare > 0 ? 1 : 0)) : undefined,
      1,
    ),
  };
}

/** The files with known times. */
function datedFiles(files: readonly FileProfile[], time: TimeChoice): DatedFile[] {
  return files.flatMap(({ folders = new Map(), columns }) => {
    const times = timesOf(time, columns, folders);
    return times ? [{ folders, times }] : [];
  });
}

const calendarDoubt = (name: string, time: string): string =>
  `${name} is named like a part of the time, but its values are not those of ${time}: it is a tag, so that no rows merge`;

/** Bytes that are not text are written as hexadecimal digits, as in fields. */
function tagOf(column: SampledColumn, name: string | undefined): string | InferredTag {
  const { encoding } = fieldOf(column);
  if (name === undefined && encoding === undefined) return column.name;
  return { column: column.name, ...(name !== undefined && { name }), ...(encoding && { encoding }) };
}
const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

function checkChoices(columns: readonly SampledColumn[], { time, tags, fields }: InferenceChoices): void {
  for (const [option, names] of Object.entries({ '--tag': tags, '--field': fields })) {
    for (const name of names) {
      const column = columns.find((each) => each.name === name);
      if (!column) {
        const known = columns.map((each) => each.name).slice(0, 30);
        throw new DataConversionError(`${option}: there is no column ${name}. The columns are ${known.join(', ')}`);
      }
      if (name === time) throw new DataConversionError(`${option}: column ${name} is already the time`);
      if (tags.includes(name) && fields.includes(name))
        throw new DataConversionError(`column ${name} is given with --tag and with --field`);
      const [unusable] = column.types.flatMap((type) => (type.kind === 'unusable' ? [type.why] : []));
      if (unusable !== undefined) throw new DataConversionError(`${option}: column ${name} ${unusable}`);
    }
  }
}

/** A point needs a field: if all columns could be tags, the one with the most values becomes the field. */
function fieldInsteadOfTag(tags: readonly SampledColumn[], choices: InferenceChoices): SampledColumn | undefined {
  const free = tags.filter(({ name, isInPath }) => !isInPath && !choices.tags.includes(name));
  return [...free].sort((a, b) => (b.values?.length ?? 0) - (a.values?.length ?? 0))[0];
}

const MAX_REASONS = 5;

function noField(
  time: string,
  used: readonly SampledColumn[],
  dropped: readonly { readonly column: SampledColumn; readonly why: string }[],
): string {
  const tags = used.length === 0 ? '' : ` and ${number(used.length, 'tag')}`;
  const reasons = dropped.slice(0, MAX_REASONS).map(({ column, why }) => `${column.name} (${why})`);
  const more = dropped.length > MAX_REASONS ? ` and ${dropped.length - MAX_REASONS} more` : '';
  const leftOut = dropped.length === 0 ? '' : `. Left out: ${reasons.join(', ')}${more}`;
  return `no column is left for a field beside the time ${time}${tags}: InfluxDB stores no point without a field${leftOut}`;
}
