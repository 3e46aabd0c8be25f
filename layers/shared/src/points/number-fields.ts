/** The number fields of a mapping with the data for writing them: values of the record batch, key, float width, range. */
import { renamed } from '../datasets/names';
import type { ConcreteField, ConcreteMapping } from '../datasets/resolve';
import type { ColumnInfo } from '../parquet/metadata';
import { FloatWriter } from './digits';
import { escapeKey } from './escape';
import { isSingle, type Numbers } from './number-cells';
import { type ReadyText, readyText } from './ready-text';

export interface NumberField extends Numbers {
  readonly column: string;
  readonly required: boolean;
  /** Its index among the fields whose name is the text of a column, or -1. */
  readonly named: number;
  /** Its key, unless the text of a column names it. */
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
  mapping: ConcreteMapping,
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
        required: field.required,
        named: named.indexOf(field),
        key: fieldKey(ownName(field, taken)),
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
export function ownName({ key }: ConcreteField, taken: readonly string[]): string {
  return taken.includes(key) ? renamed(key) : key;
}

/**
 * The key of a field that is named by the text of another column. Without a listed name and `otherwise` it is the text itself; undefined if
 * there is no text.
 */
export function fieldName(
  { names = {}, otherwise }: NonNullable<ConcreteField['named']>,
  text: string | null | undefined,
): string | undefined {
  const trimmed = text?.trim() ?? '';
  return (Object.hasOwn(names, trimmed) ? names[trimmed] : undefined) ?? otherwise ?? (trimmed || undefined);
}

/** All names that a field with `otherwise` can have. */
export function listedNames({ names = {}, otherwise }: NonNullable<ConcreteField['named']>): string[] {
  return otherwise === undefined ? [] : [...new Set([...Object.values(names), otherwise])];
}

/** `,key=` */
export function fieldKey(name: string): ReadyText {
  return readyText(`,${escapeKey(name)}=`);
}
