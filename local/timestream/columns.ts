/**
 * The columns of a table: dimensions, measures and measure names, with the types of the first record that had them. Checks new
 * records for type conflicts and for the limits of the table.
 */
import type { ScalarType } from './measure-value';
import type { WriteRecord } from './record';

/** `single` is the column `measure_value::<type>` of single-measure records; `name` is a measure name, which has no column. */
export type ColumnKind = 'dimension' | 'measure' | 'single' | 'name';

export interface Column {
  /** Unique in the table; the physical column is `c<id>`. */
  readonly id: number;
  readonly kind: ColumnKind;
  readonly name: string;
  readonly type: ScalarType | 'MULTI';
}

const MAX_DIMENSIONS = 128;
const MAX_MEASURES = 1024;
const MAX_MEASURE_NAMES = 8192;

const keyOf = (kind: ColumnKind, name: string) => `${kind}:${name}`;

export const singleMeasureColumn = (type: ScalarType) => `measure_value::${type.toLowerCase()}`;

/** The column a measure is stored in. */
export const columnOfMeasure = (record: WriteRecord, measure: { name: string; type: ScalarType }) =>
  record.type === 'MULTI'
    ? ({ kind: 'measure', name: measure.name, type: measure.type } as const)
    : ({ kind: 'single', name: singleMeasureColumn(measure.type), type: measure.type } as const);

/** The columns of a table. `fork` makes a copy, so that records can be tried without changing the table. */
export class Columns {
  private constructor(
    private readonly byKey: Map<string, Column>,
    private readonly counts: Record<ColumnKind, number>,
  ) {}

  static of(columns: Iterable<Column>): Columns {
    const result = new Columns(new Map(), { dimension: 0, measure: 0, single: 0, name: 0 });
    for (const column of columns) result.put(column);
    return result;
  }

  fork(): Columns {
    return new Columns(new Map(this.byKey), { ...this.counts });
  }

  all(): readonly Column[] {
    return [...this.byKey.values()];
  }

  /** The columns that were added since this was forked from `earlier`. */
  since(earlier: Columns): readonly Column[] {
    return this.all().slice(earlier.byKey.size);
  }

  get(kind: ColumnKind, name: string): Column | undefined {
    return this.byKey.get(keyOf(kind, name));
  }

  private put(column: Column): void {
    this.byKey.set(keyOf(column.kind, column.name), column);
    this.counts[column.kind] += 1;
  }

  private register(kind: ColumnKind, name: string, type: ScalarType | 'MULTI'): void {
    if (!this.get(kind, name)) this.put({ id: this.byKey.size, kind, name, type });
  }

  /** The reason why the table refuses the record, or undefined. */
  conflict(record: WriteRecord): string | undefined {
    const { dimensions, measures, measureName } = record;
    const multi = record.type === 'MULTI';
    const known = this.get('name', measureName);
    if (known && known.type !== record.type) {
      return `The measure '${measureName}' has the type ${known.type}, which conflicts with ${record.type}.`;
    }
    if (!known && this.counts.name >= MAX_MEASURE_NAMES) {
      return `The table exceeds the limit of ${MAX_MEASURE_NAMES} measure names.`;
    }
    const own = new Set(multi ? measures.map(({ name }) => name) : []);
    let newDimensions = 0;
    for (const { name } of dimensions) {
      if (own.has(name) || this.get('measure', name)) {
        return `The dimension '${name}' has the name of a measure: dimension and measure names must be unique.`;
      }
      if (!this.get('dimension', name)) newDimensions += 1;
    }
    if (this.counts.dimension + newDimensions > MAX_DIMENSIONS) {
      return `The table exceeds the limit of ${MAX_DIMENSIONS} dimensions.`;
    }
    if (!multi) return undefined;

    let newMeasures = 0;
    for (const { name, type } of measures) {
      const column = this.get('measure', name);
      if (column && column.type !== type) {
        return `The measure '${name}' has the type ${column.type}, which conflicts with ${type}.`;
      }
      if (this.get('dimension', name)) {
        return `The measure '${name}' has the name of a dimension: dimension and measure names must be unique.`;
      }
      if (!column) newMeasures += 1;
    }
    if (this.counts.measure + newMeasures > MAX_MEASURES) {
      return `The table exceeds the limit of ${MAX_MEASURES} measures.`;
    }
    return undefined;
  }

  /** Adds the new columns of the record. The record must not conflict with the table. */
  add(record: WriteRecord): void {
    for (const { name } of record.dimensions) this.register('dimension', name, 'VARCHAR');
    this.register('name', record.measureName, record.type);
    for (const measure of record.measures) {
      const { kind, name, type } = columnOfMeasure(record, measure);
      this.register(kind, name, type);
    }
  }
}
