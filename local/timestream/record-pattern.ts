/** Reads records that differ from an earlier record of the same call only in their values and their time. */
import { parse, type Scalar, type ScalarType, type TimeUnit, toNanoseconds } from './measure-value';
import type { WriteRecord } from './record-shape';
import type { JsonObject } from './shape';

const MAX_VALUE = 2_048;

/** Members that are the same in all records of a pattern. */
const SAME = ['MeasureName', 'MeasureValueType', 'TimeUnit', 'Version'] as const;

/**
 * A record that was read completely, as the pattern of those after it. If they have the same names, these need no check. This code has no
 * error messages: if anything else differs or is invalid, it returns undefined, and the record is read completely.
 */
export class RecordPattern {
  /**
   * @param raw the record as it was sent
   * @param record the same, merged with the common attributes
   * @param unit of its time
   */
  constructor(
    private readonly raw: JsonObject,
    private readonly record: WriteRecord,
    private readonly unit: TimeUnit,
  ) {}

  read(raw: unknown): WriteRecord | undefined {
    if (!isObject(raw)) return undefined;
    for (const key of SAME) if (raw[key] !== this.raw[key]) return undefined;
    const { shape, version } = this.record;
    const time = raw.Time === undefined && this.raw.Time === undefined ? this.record.time : this.timeOf(raw.Time);
    const dimensions = this.dimensionsOf(raw.Dimensions);
    const measures = this.measuresOf(raw);
    if (time === undefined || dimensions === undefined || measures === undefined) return undefined;
    return { shape, dimensions, measures, time, version };
  }

  private timeOf(text: unknown): bigint | undefined {
    return typeof text === 'string' ? toNanoseconds(text, this.unit) : undefined;
  }

  /** The values of all dimensions; those of the common attributes are first. */
  private dimensionsOf(list: unknown): readonly string[] | undefined {
    const { shape, dimensions } = this.record;
    if (list === undefined && this.raw.Dimensions === undefined) return dimensions;
    const own = elementsLike(list, this.raw.Dimensions);
    if (own === undefined) return undefined;
    const common = dimensions.length - own.length;
    const values = dimensions.slice(0, common);
    for (let i = 0; i < own.length; i++) {
      const from = own[i];
      if (!isObject(from) || from.Name !== shape.dimensions[common + i]) return undefined;
      const { Value, DimensionValueType } = from;
      if (typeof Value !== 'string' || (DimensionValueType !== undefined && DimensionValueType !== 'VARCHAR')) {
        return undefined;
      }
      values.push(Value);
    }
    return values;
  }

  /** The values of all measures; those of the common attributes are first. */
  private measuresOf(raw: JsonObject): readonly Scalar[] | undefined {
    const { shape, measures } = this.record;
    if (raw.MeasureValues === undefined && this.raw.MeasureValues === undefined) return this.singleMeasureOf(raw);
    const own = elementsLike(raw.MeasureValues, this.raw.MeasureValues);
    if (own === undefined || raw.MeasureValue !== this.raw.MeasureValue) return undefined;
    const common = measures.length - own.length;
    const values = measures.slice(0, common);
    for (let i = 0; i < own.length; i++) {
      const from = own[i];
      const { name, type } = shape.measures[common + i] ?? {};
      if (!isObject(from) || from.Name !== name || from.Type !== type || type === undefined) return undefined;
      const value = this.valueOf(from.Value, type);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }

  private singleMeasureOf(raw: JsonObject): readonly Scalar[] | undefined {
    const { shape, measures } = this.record;
    if (raw.MeasureValue === undefined && this.raw.MeasureValue === undefined) return measures;
    if (shape.type === 'MULTI') return undefined;
    const value = this.valueOf(raw.MeasureValue, shape.type);
    return value === undefined ? undefined : [value];
  }

  private valueOf(text: unknown, type: ScalarType): Scalar | undefined {
    if (typeof text !== 'string' || text === '' || text.length > MAX_VALUE) return undefined;
    return parse(text, type, this.unit);
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The elements of a list; undefined if the pattern's is not a list of as many. */
function elementsLike(list: unknown, pattern: unknown): readonly unknown[] | undefined {
  return Array.isArray(list) && Array.isArray(pattern) && list.length === pattern.length ? list : undefined;
}
