/** The number fields of a mapping with the data for writing them: values of the record batch, key, float width, range. */
import { type DatasetMapping, type FieldMapping, renamed } from '../datasets/mapping';
import type { ColumnInfo } from '../parquet/metadata';
import { FloatWriter } from './digits';
import { escapeKey } from './escape';
import { isSingle, type Numbers } from './number-cells';
import { type ReadyText, readyText } from './ready-text';

export interface NumberField extends Numbers {
  readonly column: string;
  /** Its own name in InfluxDB; not used by a field whose name is the text of a column. */
  readonly name: string;
  readonly required: boolean;
  /** Its index among the fields whose name is the text of a column, or -1. */
  readonly named: number;
  /** Its key; for a field whose name is the text of a column, the longest possible key. */
  readonly key: ReadyText;
  readonly writer: FloatWriter;
  /** Values outside `min` and `max` are counted. */
  readonly min: number;
  readonly max: number;
  leftOut: number;
  beyond: number;
}

/** @param capacity rows of the largest record batch. */
export function numberFields(
  mapping: DatasetMapping,
  columns: readonly ColumnInfo[],
  taken: readonly string[],
  capacity: number,
): NumberField[] {
  const named = mapping.fields.filter((field) => field.named);
  return mapping.fields
    .filter((field) => field.type === 'number')
    .map((field) => ({ field, info: columns.find(({ name }) => name === field.column) }))
    .filter(({ field, info }) => field.required || info)
    .map(({ field, info }) => {
      const range = mapping.checks.ranges[field.column];
      return {
        column: field.column,
        name: ownName(field, taken),
        required: field.required ?? false,
        named: named.indexOf(field),
        key: longestKey(field, ownName(field, taken)),
        writer: new FloatWriter(info !== undefined && isSingle(info.type)),
        values: new Float64Array(capacity),
        states: new Uint8Array(capacity),
        min: range?.min ?? Number.NEGATIVE_INFINITY,
        max: range?.max ?? Number.POSITIVE_INFINITY,
        leftOut: 0,
        beyond: 0,
      };
    });
}

/** The name of a field with a name of its own; another name if a field that is named after a unit uses it in this file. */
export function ownName({ name, column }: FieldMapping, taken: readonly string[]): string {
  const own = name ?? column;
  return taken.includes(own) ? renamed(own) : own;
}

/** The name of a field whose name is the text of another column. */
export function fieldName(
  { names, otherwise }: NonNullable<FieldMapping['named']>,
  text: string | null | undefined,
): string {
  const unit = text?.trim() ?? '';
  return (Object.hasOwn(names, unit) ? names[unit] : undefined) ?? otherwise;
}

/** `,key=` */
export function fieldKey(name: string): ReadyText {
  return readyText(`,${escapeKey(name)}=`);
}

function longestKey({ named }: FieldMapping, own: string): ReadyText {
  const names = named ? [...Object.values(named.names), named.otherwise] : [own];
  const keys = names.map(fieldKey);
  return keys.reduce((longest, key) => (key.length > longest.length ? key : longest));
}
