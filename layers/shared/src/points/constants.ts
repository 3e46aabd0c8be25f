/** Columns with one value for a whole file, supplied by its key. The readers of text columns read each of them once. */
import type { PartitionColumns } from '../datasets/partitions';
import type { ConcreteMapping } from '../datasets/resolve';
import type { ArrowColumn } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import { Cell } from './cells';
import { storedTag } from './escape';
import { type Numbers, readNumbers } from './number-cells';
import { TimeReader, type Times } from './times';

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
  if (name === mapping.time.column)
    return readTime(name, value, mapping).state === Cell.ok ? undefined : 'is not a time';
  if (mapping.tags.some(({ required, column }) => required && column === name) && storedTag(value) === '')
    return 'has no value';
  const isNumber = mapping.fields.some((field) => field.type === 'number' && field.required && field.column === name);
  return !isNumber || readNumber(name, value).state === Cell.ok ? undefined : 'is not a number';
}

/** Fills a record batch of any length with the constant. */
export function fillNumbers(name: string, value: string | null, out: Numbers): void {
  const number = readNumber(name, value);
  out.values.fill(number.value);
  out.states.fill(number.state);
}

/** Fills a record batch of any length with the constant. */
export function fillTimes(name: string, value: string | null, mapping: ConcreteMapping, out: Times): void {
  const time = readTime(name, value, mapping);
  out.seconds.fill(time.seconds);
  out.nanos.fill(time.nanos);
  out.states.fill(time.state);
}

function readNumber(name: string, value: string | null): { value: number; state: number } {
  const out = { values: new Float64Array(1), states: new Uint8Array(1) };
  readNumbers(textColumn(name, value), out);
  return { value: out.values[0] ?? 0, state: out.states[0] ?? Cell.missing };
}

function readTime(name: string, value: string | null, { time }: ConcreteMapping) {
  const out = { seconds: new Float64Array(1), nanos: new Int32Array(1), states: new Uint8Array(1) };
  new TimeReader(time).read(textColumn(name, value), out);
  return { seconds: out.seconds[0] ?? 0, nanos: out.nanos[0] ?? 0, state: out.states[0] ?? Cell.missing };
}

function constantType(value: string | null): Pick<ColumnInfo, 'type' | 'stored'> {
  const stored = { type: 'BYTE_ARRAY', length: undefined, isOptional: value === null } as const;
  return { type: { kind: value === null ? 'null' : 'text' }, stored };
}

/** A text column of one row, in Arrow's layout. */
function textColumn(name: string, value: string | null): ArrowColumn {
  const bytes = Buffer.from(value ?? '');
  const memory = new ArrayBuffer(8 + bytes.length);
  new Uint32Array(memory, 0, 2).set([0, bytes.length]);
  new Uint8Array(memory, 8).set(bytes);
  return {
    name,
    ...constantType(value),
    length: 1,
    offset: 0,
    validity: undefined,
    memory,
    buffer: (index) => (index === 2 ? 8 : 0),
  };
}
