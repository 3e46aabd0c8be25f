/** The fields of a mapping that are written row by row, with the data for writing them; and the keys of fields. */

import { renamed } from '../datasets/names';
import type { ConcreteField, ConcreteMapping } from '../datasets/resolve';
import { own } from '../own';
import type { ColumnInfo } from '../parquet/metadata';
import { STATES } from './cells';
import { escapeKey } from './escape';
import { type FieldCells, fieldCells } from './field-cells';
import { type ReadyText, readyText } from './ready-text';
import type { InvalidExample } from './report';

export interface Field {
  readonly column: string;
  readonly required: boolean;
  /** Its index in the mapping. */
  readonly index: number;
  /** Its index among the fields whose name is the text of a column, or -1. */
  readonly named: number;
  /** Its key, unless the text of a column names it. */
  readonly key: ReadyText;
  readonly cells: FieldCells;
  /** Values outside are counted. */
  readonly range: { readonly min: number; readonly max: number } | undefined;
  /** Cells that were left out, by state, and the first one of each. */
  readonly leftOut: Int32Array;
  readonly examples: (InvalidExample | undefined)[];
  beyond: number;
}

/**
 * All fields but those of type text, which are part of a line's head, and optional ones that the file has no column for.
 * @param columns of the file and its path
 * @param capacity rows of the largest record batch
 */
export function rowFields(
  mapping: ConcreteMapping,
  columns: readonly ColumnInfo[],
  taken: readonly string[],
  capacity: number,
): Field[] {
  const infos = new Map(columns.map((info) => [info.name, info]));
  const named = mapping.fields.filter((field) => field.named);
  return mapping.fields.flatMap((field, index) => {
    const info = infos.get(field.column);
    if (field.type === 'text' || !(field.required || info)) return [];
    const cells = fieldCells(field, info?.type, capacity);
    const range = cells.numberAt && own(mapping.checks.ranges, field.column);
    return {
      column: field.column,
      required: field.required,
      index,
      named: field.named ? named.indexOf(field) : -1,
      key: fieldKey(ownName(field, taken)),
      cells,
      range: range && { min: range.min ?? Number.NEGATIVE_INFINITY, max: range.max ?? Number.POSITIVE_INFINITY },
      leftOut: new Int32Array(STATES),
      examples: [],
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
