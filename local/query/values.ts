/** Converts the values of a query's result to JSON values. */
import type { ColumnInfo, Datum, Type } from '@aws-sdk/client-timestream-query';

export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value };

export const nameOf = ({ Name }: ColumnInfo, index: number): string => Name ?? `_col${index}`;

/** Integers above 2^53 and doubles that JSON does not support (NaN, Infinity) stay strings. */
export function jsonValue(datum: Datum, type: Type | undefined): Value {
  if (datum.NullValue) return null;
  if (datum.ScalarValue !== undefined) return scalar(datum.ScalarValue, type?.ScalarType);
  if (datum.ArrayValue !== undefined) {
    return datum.ArrayValue.map((each) => jsonValue(each, type?.ArrayColumnInfo?.Type));
  }
  if (datum.RowValue !== undefined) {
    const columns = type?.RowColumnInfo ?? [];
    return (datum.RowValue.Data ?? []).map((each, index) => jsonValue(each, columns[index]?.Type));
  }
  return (datum.TimeSeriesValue ?? []).map(({ Time, Value: value }) => ({
    time: Time ?? null,
    value: value === undefined ? null : jsonValue(value, type?.TimeSeriesMeasureValueColumnInfo?.Type),
  }));
}

function scalar(text: string, type: string | undefined): Value {
  if (type === 'BOOLEAN') return text === 'true';
  if (type === 'INTEGER' || type === 'BIGINT') return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  if (type === 'DOUBLE') return Number.isFinite(Number(text)) ? Number(text) : text;
  return text;
}
