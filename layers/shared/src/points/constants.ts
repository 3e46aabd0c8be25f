/** Columns with one value for a whole file, supplied by its key. The readers of text columns read each of them once. */
import type { PartitionColumns } from '../datasets/partitions';
import type { ConcreteMapping } from '../datasets/resolve';
import type { ArrowColumn } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import { Cell } from './cells';
import { emptyCounts } from './counts';
import { storedTag } from './escape';
import { fieldCells } from './field-cells';
import { FIELD_TYPES } from './field-types';
import { TimeReader } from './times';

/** The key's columns that the file lacks: if both have a column, the file's is used. */
export function lackingColumns(columns: readonly ColumnInfo[], partitions: PartitionColumns): PartitionColumns {
  const own = new Set(columns.map(({ name }) => name));
  return new Map([...partitions].filter(([name]) => !own.has(name)));
}

/** The file's columns and those that its key supplies. */
export function withConstants(columns: readonly ColumnInfo[], partitions: PartitionColumns): ColumnInfo[] {
  const constants = [...lackingColumns(columns, partitions)];
  return [...columns, ...constants.map(([name, value]) => ({ name, ...constantType(value), declared: 'in the path' }))];
}

/** Problems of the constants that every file of this dataset must have; empty if they can be used. */
export function constantProblems(constants: PartitionColumns, mapping: ConcreteMapping): string[] {
  return mapping.required.flatMap((name) => {
    const value = constants.get(name);
    if (value === undefined) return [];
    if (value === null) return [`column ${name}, which the path supplies, has no value`];
    const problem = valueProblem(name, value, mapping);
    return problem === undefined ? [] : [`column ${name} ${problem}: the path says ${JSON.stringify(value)}`];
  });
}

function valueProblem(name: string, value: string, mapping: ConcreteMapping): string | undefined {
  const column = constantColumn(name, value, 1);
  if (name === mapping.time.column) {
    const time = emptyCounts(1);
    new TimeReader(mapping.time).read(column, time);
    return time.states[0] === Cell.ok ? undefined : 'is not a time';
  }
  const isTag = mapping.tags.some((tag) => tag.required && tag.column === name);
  if (isTag && storedTag(value) === '') return 'has no value';
  const unread = mapping.fields.find((field) => {
    if (!field.required || field.column !== name) return false;
    const cells = fieldCells(field, column.type, 1);
    cells.read(column);
    return cells.states[0] !== Cell.ok;
  });
  return unread && `is not ${FIELD_TYPES[unread.type].name}`;
}

function constantType(value: string | null): Pick<ColumnInfo, 'type' | 'stored'> {
  const stored = { type: 'BYTE_ARRAY', length: undefined, isOptional: value === null } as const;
  return { type: { kind: value === null ? 'null' : 'text' }, stored };
}

/** A constant as a text column of so many rows, in Arrow's layout. */
export function constantColumn(name: string, value: string | null, rows: number): ArrowColumn {
  const bytes = Buffer.from(value ?? '');
  const offsets = Uint32Array.from({ length: rows + 1 }, (_, row) => row * bytes.length);
  const memory = new ArrayBuffer(offsets.byteLength + rows * bytes.length);
  new Uint8Array(memory).set(new Uint8Array(offsets.buffer));
  if (bytes.length > 0) Buffer.from(memory, offsets.byteLength).fill(bytes);
  return {
    name,
    ...constantType(value),
    length: rows,
    offset: 0,
    validity: undefined,
    memory,
    buffer: (index) => (index === 2 ? offsets.byteLength : 0),
  };
}
