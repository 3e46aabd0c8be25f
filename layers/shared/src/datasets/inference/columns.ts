/** Joins the profiles of several files, and the columns of their paths, into one list of columns. */
import type { ColumnType } from '../../parquet/column-type';
import { parseIsoTime } from '../../points/iso-8601';
import { type ColumnProfile, type FileProfile, MAX_LISTED } from './profile';

/** The column of a path, by its values in all paths. */
export interface PathColumn {
  readonly name: string;
  readonly values: readonly (string | null)[];
}

export interface SampledColumn {
  readonly name: string;
  /** Whether the path supplies it. */
  readonly isInPath: boolean;
  /** The distinct types in the files. */
  readonly types: readonly ColumnType[];
  /** As the files declare it. */
  readonly declared: string;
  /** Share of the sampled rows without a value, 0 to 1. A file without the column counts in full. */
  readonly nullShare: number;
  /** The distinct values of a text, UUID or integer column; null if there are too many to list. */
  readonly values: readonly string[] | null | undefined;
  /** Sampled values that are not null. */
  readonly count: number;
  readonly range: ColumnProfile['range'];
  /** Whether its integers may be the numbers of the rows of each file: none repeats, and all are less than the count of rows. */
  readonly numbersRows: boolean;
  readonly texts: ColumnProfile['texts'];
}

export interface JoinedColumns {
  readonly columns: readonly SampledColumn[];
  /** How the files differ, for people. */
  readonly differences: readonly string[];
}

/** A column in one of the files. */
interface Owner {
  readonly file: FileProfile;
  readonly column: ColumnProfile;
}

/** Columns in the order of the files; those of the paths follow. A file's own column wins. */
export function joinColumns(files: readonly FileProfile[], paths: readonly PathColumn[]): JoinedColumns {
  const found = new Map<string, Owner[]>();
  for (const file of files) {
    for (const column of file.columns) {
      const owners = found.get(column.name);
      if (owners) owners.push({ file, column });
      else found.set(column.name, [{ file, column }]);
    }
  }
  const rows = files.reduce((sum, { sampledRows }) => sum + sampledRows, 0);
  const differences: string[] = [];
  const columns = [...found].map(([name, owners]) => {
    const declarations = [...new Set(owners.map(({ column }) => column.declared))];
    const having = new Set(owners.map(({ file }) => file));
    const lacking = files.filter((file) => !having.has(file));
    if (lacking.length > 0)
      differences.push(
        `column ${name} is missing in ${lacking.length} of ${files.length} files, such as ${lacking[0]?.name}`,
      );
    if (declarations.length > 1) differences.push(`column ${name} has several types: ${declarations.join(', ')}`);
    return joined(
      name,
      owners,
      owners.reduce((sum, { file, column }) => sum + file.sampledRows - column.nulls, 0),
      rows,
    );
  });
  const ofPaths = paths.filter(({ name }) => !found.has(name)).map((path) => pathColumn(path, rows));
  return { columns: [...columns, ...ofPaths], differences };
}

function joined(name: string, found: readonly Owner[], count: number, rows: number): SampledColumn {
  const owners = found.map(({ column }) => column);
  const types = owners.map(({ type }) => type);
  const ranges = owners.flatMap(({ range }) => range ?? []);
  const texts = owners.flatMap((owner) => owner.texts ?? []);
  return {
    ...{ name, isInPath: false, count },
    types: types.filter((type, index) => types.findIndex((each) => isSame(each, type)) === index),
    declared: [...new Set(owners.map(({ declared }) => declared))].join(', '),
    nullShare: rows === 0 ? 0 : 1 - count / rows,
    values: allValues(owners),
    numbersRows: found.every(numbersRows),
    range: ranges.length === 0 ? undefined : { min: least(ranges), max: greatest(ranges) },
    texts:
      texts.length === 0
        ? undefined
        : {
            areTimes: texts.every(({ areTimes }) => areTimes),
            areNumbers: texts.every(({ areNumbers }) => areNumbers),
            areUtf8: texts.every(({ areUtf8 }) => areUtf8),
            hasTimes: texts.some(({ hasTimes }) => hasTimes),
            notTime: texts.find(({ notTime }) => notTime !== undefined)?.notTime,
          },
  };
}

function numbersRows({ file, column: { range, values, nulls } }: Owner): boolean {
  if (!range) return true;
  return range.min >= 0 && range.max < file.rows && (!values || values.length === file.sampledRows - nulls);
}

const isSame = (a: ColumnType, b: ColumnType): boolean => JSON.stringify(a) === JSON.stringify(b);
const least = (ranges: readonly { min: number }[]): number => Math.min(...ranges.map(({ min }) => min));
const greatest = (ranges: readonly { max: number }[]): number => Math.max(...ranges.map(({ max }) => max));

function allValues(owners: readonly ColumnProfile[]): SampledColumn['values'] {
  const values = new Set<string>();
  for (const owner of owners) {
    if (owner.values === undefined) return undefined;
    if (owner.values === null) return null;
    for (const value of owner.values) values.add(value);
  }
  return values.size > MAX_LISTED ? null : [...values];
}

function pathColumn({ name, values }: PathColumn, rows: number): SampledColumn {
  const present = values.filter((value) => value !== null);
  return {
    ...{
      name,
      isInPath: true,
      declared: 'a folder of the path',
      types: [{ kind: 'text' }],
      range: undefined,
      numbersRows: false,
    },
    count: rows,
    nullShare: present.length < values.length ? 1 - present.length / values.length : 0,
    values: present,
    texts: {
      areTimes: present.every((value) => parseIsoTime(value) !== undefined),
      areNumbers: present.every((value) => /^\d+$/.test(value)),
      areUtf8: true,
    },
  };
}
