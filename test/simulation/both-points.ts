/** The points of the simulation of two destinations: their lines, and which destination can store them. */
import fc from 'fast-check';
import type { DestinationName } from 'shared/destination-config';
import type { WritePrecision } from 'shared/influxdb/protocol';
import type { TimestreamLimit } from 'shared/timestream/refusal';
import type { PlainRecord } from '../support/timestream-calls';
import { INVALID_VALUE, REJECTED_VALUE } from './timestream-service';

const KINDS = [
  'good',
  /** Has no timestamp. */
  'timeless',
  /** Is not valid line protocol. */
  'faulty',
  /** Timestream refuses the whole call. */
  'invalid',
  /** Timestream rejects the record, and stores the others. */
  'rejected',
  'no-tags',
  'unsigned',
  'before-1970',
  /** InfluxDB has another type for the field c, or d. */
  'conflict',
  'other conflict',
  /** Older than the retention of InfluxDB. */
  'retention',
  /** InfluxDB cannot parse the line. */
  'unparsable',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Line {
  readonly kind: Kind;
  readonly table: number;
  /** Identifies the line in a schedule. */
  readonly n: number;
}

export const kind: fc.Arbitrary<Kind> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Kind>('good', 'timeless') },
  { weight: 4, arbitrary: fc.constantFrom(...KINDS) },
);

/** All times are whole seconds, so that each precision can express them. */
const SECONDS = { good: 1_690_000_000, retention: 1_000_000_000, past: -1_000_000 };
export const RETENTION_BOUND = '2010-01-01T00:00:00Z';
const DIGITS: Readonly<Record<WritePrecision, number>> = { ns: 9, us: 6, ms: 3, s: 0 };

export const nanoseconds = (time: string | number, unit: WritePrecision): bigint =>
  BigInt(time) * 10n ** BigInt(9 - DIGITS[unit]);

/** The time of a line, ns. @param requestTime ms since 1970 */
function timeOf({ kind, n }: Line, requestTime: number, unit: WritePrecision): bigint {
  const step = nanoseconds(1, unit);
  if (kind === 'timeless') return ((BigInt(requestTime) * 1_000_000n) / step) * step;
  const seconds = kind === 'retention' ? SECONDS.retention : kind === 'before-1970' ? SECONDS.past : SECONDS.good;
  return nanoseconds(seconds + n, 's');
}

const value = ({ kind, n }: Line): number =>
  kind === 'invalid' ? INVALID_VALUE : kind === 'rejected' ? REJECTED_VALUE : 100 + n;

export function textOf(line: Line, unit: WritePrecision): string {
  const { kind, table, n } = line;
  if (kind === 'faulty') return `t${table},s=${n} v=${n}i,n=`;
  const tags = kind === 'no-tags' ? '' : `,s=${n}`;
  const extra = EXTRA_FIELDS[kind] ?? '';
  const time = kind === 'timeless' ? '' : ` ${timeOf(line, 0, unit) / nanoseconds(1, unit)}`;
  return `t${table}${tags} v=${value(line)}i,n=${n}i${extra}${time}`;
}

const EXTRA_FIELDS: Partial<Record<Kind, string>> = {
  unsigned: ',u=18446744073709551615u',
  conflict: ',c=1.5',
  'other conflict': ',d=1.5',
  unparsable: ',x="unparsable"',
};

/** What identifies a stored point in both destinations, with its value. */
export const stored = (n: number, time: bigint, value: string): string => `${n} at ${time}: ${value}`;

export const expected = (line: Line, requestTime: number, unit: WritePrecision): string =>
  stored(line.n, timeOf(line, requestTime, unit), String(value(line)));

export const storedRecord = ({ measures, time }: PlainRecord): string =>
  stored(Number(measures.n?.slice('BIGINT '.length)), time, measures.v?.slice('BIGINT '.length) ?? '');

/** The limit of Timestream that excludes the line before it is sent. */
const LIMITS: Partial<Record<Kind, TimestreamLimit>> = {
  'no-tags': 'no-tags',
  unsigned: 'unsigned',
  'before-1970': 'before-1970',
};

export const limitOf = ({ kind }: Line): TimestreamLimit | undefined => LIMITS[kind];

const REFUSED: Readonly<Record<DestinationName, readonly Kind[]>> = {
  timestream: ['faulty', 'invalid', 'rejected', 'no-tags', 'unsigned', 'before-1970'],
  influxdb: ['faulty', 'conflict', 'other conflict', 'retention', 'unparsable'],
};

export const canStore = (destination: DestinationName, { kind }: Line): boolean => !REFUSED[destination].includes(kind);
