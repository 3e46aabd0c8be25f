/** The tags and fields that the columns of a table become, for counting them at both ends. */
import type { Column, FieldCount } from './records';
import type { MappingOptions } from './request';

export type FieldKind = NonNullable<FieldCount['kind']>;

export interface CountedField {
  /** The column at the source. */
  readonly column: string;
  /** The field's key; null if measure_name supplies it (pivot). */
  readonly key: string | null;
  readonly kind: FieldKind;
}

/** What a table becomes at the target. */
export interface TargetTable {
  readonly measurement: string;
  /** Columns that become tags. With the measurement they identify a series. */
  readonly tags: readonly { readonly column: string; readonly key: string }[];
  readonly fields: readonly CountedField[];
  /**
   * Whether rows may share series and time: a dimension or measure_name is a field. In Timestream, dimensions, measure_name and time
   * identify a row.
   */
  readonly merges: boolean;
}

const KINDS: Readonly<Record<Column['type'], FieldKind>> = {
  varchar: 'string',
  double: 'float',
  bigint: 'integer',
  boolean: 'boolean',
  timestamp: 'timestamp',
};

export function targetTable(table: string, columns: readonly Column[], options: MappingOptions): TargetTable {
  const { measureName, dimensionsToFields, timestamps } = options;
  const isTag = ({ name, role }: Column) =>
    role === 'measure_name' ? measureName === 'tag' : role === 'dimension' && !dimensionsToFields.includes(name);
  const isField = (column: Column) =>
    column.role === 'measure' ||
    (column.role === 'dimension' && !isTag(column)) ||
    (column.role === 'measure_name' && measureName === 'field');
  const fields = columns.filter(isField);
  return {
    measurement: table,
    tags: columns.filter(isTag).map(({ name }) => ({ column: name, key: name })),
    fields: fields.map(({ name, type }) => ({
      column: name,
      key: measureName === 'pivot' && name.startsWith('measure_value::') ? null : name,
      kind: type === 'timestamp' && timestamps === 'rfc3339' ? 'string' : KINDS[type],
    })),
    merges: fields.some(({ role }) => role !== 'measure'),
  };
}

export const acceptedMeasurement = (table: string): string => table;
