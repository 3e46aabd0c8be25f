/** What most records of a call have in common: names and types, but not values, time and version. */
import type { Scalar, ScalarType } from './measure-value';

export interface MeasureShape {
  readonly name: string;
  readonly type: ScalarType;
}

const byName = (names: readonly string[]): readonly number[] =>
  names.map((_, index) => index).sort((a, b) => ((names[a] ?? '') < (names[b] ?? '') ? -1 : 1));

/**
 * Names and types of a record. Records of a call share one object as long as they have the same, so that names are checked, measured and
 * found in the table once instead of in each record.
 */
export class RecordShape {
  /** The positions of the dimensions in the order of their names. */
  readonly order: readonly number[];

  /** @param measures a single-measure record has one, named like the record */
  constructor(
    readonly dimensions: readonly string[],
    readonly measureName: string,
    readonly type: ScalarType | 'MULTI',
    readonly measures: readonly MeasureShape[],
  ) {
    this.order = byName(dimensions);
  }
}

/** A record after merging; `time` is nanoseconds since 1970. */
export interface WriteRecord {
  readonly shape: RecordShape;
  /** The values, in the order of the shape's names. */
  readonly dimensions: readonly string[];
  readonly measures: readonly Scalar[];
  readonly time: bigint;
  readonly version: bigint;
}

/** Whether both have the same dimensions, in any order, time and measure name. */
export function hasSameIdentity(a: WriteRecord, b: WriteRecord): boolean {
  if (a.time !== b.time || a.shape.measureName !== b.shape.measureName) return false;
  if (a.dimensions.length !== b.dimensions.length) return false;
  return a.shape.order.every((position, index) => {
    const other = b.shape.order[index] ?? -1;
    return a.dimensions[position] === b.dimensions[other] && a.shape.dimensions[position] === b.shape.dimensions[other];
  });
}

/** Whether both have the same measures, in any order. Call it for records of the same identity. */
export function hasSameMeasures(a: WriteRecord, b: WriteRecord): boolean {
  if (a.measures.length !== b.measures.length) return false;
  const others = new Map(b.shape.measures.map(({ name, type }, index) => [name, { type, value: b.measures[index] }]));
  return a.shape.measures.every(({ name, type }, index) => {
    const other = others.get(name);
    return other !== undefined && other.type === type && other.value === a.measures[index];
  });
}
