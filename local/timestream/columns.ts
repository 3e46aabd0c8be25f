/**
 * The columns of a table: dimensions, measures and measure names, with the types of the first record that had them. Checks new
 * records for type conflicts and for the limits of the table.
 */
import type { ScalarType } from './measure-value';
import type { RecordShape } from './record-shape';

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

export const singleMeasureColumn = (type: ScalarType) => `measure_value::${type.toLowerCase()}`;

/** The columns of the measures of a record. */
export const measureColumns = ({ type, measures }: RecordShape): readonly Omit<Column, 'id'>[] =>
  type === 'MULTI'
    ? measures.map((measure) => ({ kind: 'measure', ...measure }))
    : [{ kind: 'single', name: singleMeasureColumn(type), type }];

/** The columns of a table. `fork` makes a copy, so that records can be tried without changing the table. */
export class Columns {
  private constructor(
    private readonly list: Column[],
    private readonly byName: Readonly<Record<ColumnKind, Map<string, Column>>>,
  ) {}

  static of(columns: Iterable<Column>): Columns {
    const result = new Columns([], { dimension: new Map(), measure: new Map(), single: new Map(), name: new Map() });
    for (const column of columns) result.put(column);
    return result;
  }

  fork(): Columns {
    return Columns.of(this.list);
  }

  all(): readonly Column[] {
    return this.list;
  }

  /** The columns that were added since this was forked from `earlier`. */
  since(earlier: Columns): readonly Column[] {
    return this.list.slice(earlier.list.length);
  }

  get(kind: ColumnKind, name: string): Column | undefined {
    return this.byName[kind].get(name);
  }

  private put(column: Column): void {
    this.list.push(column);
    this.byName[column.kind].set(column.name, column);
  }

  private register(kind: ColumnKind, name: string, type: ScalarType | 'MULTI'): void {
    if (!this.get(kind, name)) this.put({ id: this.list.length, kind, name, type });
  }

  /** The reason why the table refuses records of the shape, or undefined. */
  conflict({ dimensions, measures, measureName, type }: RecordShape): string | undefined {
    const multi = type === 'MULTI';
    const known = this.get('name', measureName);
    if (known && known.type !== type) {
      return `The measure '${measureName}' has the type ${known.type}, which conflicts with ${type}.`;
    }
    if (!known && this.byName.name.size >= MAX_MEASURE_NAMES) {
      return `The table exceeds the limit of ${MAX_MEASURE_NAMES} measure names.`;
    }
    const own = new Set(multi ? measures.map(({ name }) => name) : []);
    let newDimensions = 0;
    for (const name of dimensions) {
      if (own.has(name) || this.get('measure', name)) {
        return `The dimension '${name}' has the name of a measure: dimension and measure names must be unique.`;
      }
      if (!this.get('dimension', name)) newDimensions += 1;
    }
    if (this.byName.dimension.size + newDimensions > MAX_DIMENSIONS) {
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
    if (this.byName.measure.size + newMeasures > MAX_MEASURES) {
      return `The table exceeds the limit of ${MAX_MEASURES} measures.`;
    }
    return undefined;
  }

  /** Adds the new columns of records of the shape, which must not conflict with the table. */
  add(shape: RecordShape): void {
    for (const name of shape.dimensions) this.register('dimension', name, 'VARCHAR');
    this.register('name', shape.measureName, shape.type);
    for (const { kind, name, type } of measureColumns(shape)) this.register(kind, name, type);
  }
}
