/** The tags and fields that the columns of a table become: those of the load of its exports. */
import { DataConversionError } from '../errors';
import { exportMapping } from '../exports/export-mapping';
import { acceptedMeasurement, acceptedName } from '../exports/names';
import { type ExportOptions, exportOptionsSchema } from '../exports/options';
import { keyOfColumn } from '../timestream/names';
import type { Column, FieldCount, TableSurvey } from './records';
import type { MappingOptions } from './request';

export type FieldKind = NonNullable<FieldCount['kind']>;

export interface CountedField {
  /** The column at the source. */
  readonly column: string;
  /** The field's key; null if measure_name supplies it (pivot). */
  readonly key: string | null;
  readonly kind: FieldKind;
  /** Whether the text at the target is the text at the source; not for times that become text. */
  readonly isText: boolean;
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

/** The options for loading the exports of a table. */
export function exportOptions(
  { table, measureNames }: Pick<TableSurvey, 'table' | 'measureNames'>,
  columns: readonly Column[],
  { measureName, dimensionsToFields, timestamps }: MappingOptions,
): ExportOptions {
  const dimensions = columns.filter(({ role }) => role === 'dimension').map(({ name }) => name);
  const [measureNameValue] = measureNames;
  // In the export of another tool, <column>_ns repeats a column; here it is a measure like any other.
  const measures = columns.filter(({ name, role }) => role === 'measure' && name.endsWith('_ns'));
  return exportOptionsSchema.parse({
    measurement: acceptedMeasurement(table),
    measureName,
    ...(measureName === 'drop' && measureNameValue && { measureNameValue }),
    dimensions,
    dimensionsToFields: dimensionsToFields.filter((name) => dimensions.includes(name)),
    timestamps,
    rename: Object.fromEntries(measures.map(({ name }) => [name, acceptedName(keyOfColumn(name))])),
  });
}

/** @throws DataConversionError if the columns cannot be mapped */
export function targetTable(
  survey: Pick<TableSurvey, 'table' | 'measureNames'>,
  columns: readonly Column[],
  options: MappingOptions,
): TargetTable {
  const query = {
    columns: columns.map(({ name, type }) => ({ name, type: type.toUpperCase() })),
    partitions: new Set<string>(),
    format: 'PARQUET' as const,
  };
  const { mapping } = exportMapping(survey.table, query, exportOptions(survey, columns, options));
  const fields = mapping.fields.flatMap((field): CountedField[] => {
    if (!('column' in field)) return [];
    const { column, name, named } = field;
    return [{ column, key: named ? null : (name ?? column), kind: kindOf(field), isText: field.type === 'string' }];
  });
  return {
    measurement: acceptedMeasurement(survey.table),
    tags: mapping.tags.optional.flatMap((tag) => {
      if (typeof tag === 'string') return [{ column: tag, key: tag }];
      return 'column' in tag ? [{ column: tag.column, key: tag.name ?? tag.column }] : [];
    }),
    fields,
    merges: fields.some(({ column }) => columns.some(({ name, role }) => name === column && role !== 'measure')),
  };
}

function kindOf({ type, as }: { readonly type: string; readonly as?: string | undefined }): FieldKind {
  if (type === 'timestamp') return as === 'rfc3339' ? 'string' : 'timestamp';
  if (type === 'float' || type === 'integer' || type === 'boolean' || type === 'string') return type;
  throw new DataConversionError(`fields of the type ${type} cannot be counted`);
}
