/** The baseline of the connector's benchmarks: a simple implementation with an object per point and per record. */
import type { _Record } from '@aws-sdk/client-timestream-write';
import { decodePoints, type FieldValue, type Point } from 'shared/line-protocol/point';

export const VERSION = 1_760_000_000_000;
export const DATABASE = 'influxdb-line-protocol';
const RECORDS_PER_CALL = 100;
const TYPES = {
  float: 'DOUBLE',
  integer: 'BIGINT',
  unsigned: 'BIGINT',
  boolean: 'BOOLEAN',
  string: 'VARCHAR',
} as const;

export interface NaiveCall {
  readonly DatabaseName: string;
  readonly TableName: string;
  readonly Records: _Record[];
}

/** The calls that store the lines, table by table. */
export function naiveCalls(lines: Uint8Array): NaiveCall[] {
  const tables = new Map<string, Point[]>();
  for (const point of decodePoints(lines, 0n).points) {
    const points = tables.get(point.measurement);
    if (points === undefined) tables.set(point.measurement, [point]);
    else points.push(point);
  }
  const calls: NaiveCall[] = [];
  for (const [TableName, points] of tables) {
    for (let start = 0; start < points.length; start += RECORDS_PER_CALL) {
      const Records = points.slice(start, start + RECORDS_PER_CALL).map(record);
      calls.push({ DatabaseName: DATABASE, TableName, Records });
    }
  }
  return calls;
}

const record = ({ tags, fields, time }: Point): _Record => ({
  Dimensions: tags.map(([Name, Value]) => ({ Name, Value })),
  MeasureName: 'influxdb-measure',
  MeasureValueType: 'MULTI',
  MeasureValues: fields
    .filter(([, field]) => field.value !== '')
    .map(([Name, field]: readonly [string, FieldValue]) => ({
      Name,
      Value: String(field.value),
      Type: TYPES[field.type],
    })),
  Time: String(time),
  TimeUnit: 'NANOSECONDS',
  Version: VERSION,
});
