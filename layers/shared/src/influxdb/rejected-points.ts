/** Finds the lines of a batch that a partial write of InfluxDB 2 rejected, from what its message says about their points. */
import { escapesInKey, escapesInMeasurement, unescapeText } from '../line-protocol/bytes';
import {
  BOOLEAN,
  ERROR,
  type FieldKind,
  FLOAT,
  INTEGER,
  LineDecoder,
  STRING,
  TOKEN,
  UNSIGNED,
} from '../line-protocol/decoder';
import { V2_PRECISIONS } from '../line-protocol/precision';
import { toNanoseconds } from '../nanoseconds';
import type { Rejection } from './outcome';
import type { WritePrecision } from './protocol';

/** Source: the messages of InfluxDB 2.7.12, which quote names as Go does. */
const QUOTED = '("(?:[^"\\\\]|\\\\.)*")';
const CONFLICT = new RegExp(`field type conflict: input field ${QUOTED} on measurement ${QUOTED} is type (\\w+),`);
const RETENTION = /points outside retention policy .*?Retention Policy Lower Bound at ([\dT:.-]+Z)/s;

const KINDS: ReadonlyMap<string, FieldKind> = new Map([
  ['float', FLOAT],
  ['integer', INTEGER],
  ['unsigned', UNSIGNED],
  ['boolean', BOOLEAN],
  ['string', STRING],
]);

export interface FoundLines {
  /** The positions of rejected lines in the batch, from 0, each with its rejection. */
  readonly found: ReadonlyMap<number, Rejection>;
  /** Rejections that do not show which lines they mean. */
  readonly unknown: readonly Rejection[];
}

/**
 * The lines of a batch that InfluxDB rejected. Where a rejection has no position, its lines are known if it rejected all lines, or if its
 * message names a measurement, a field and a type, or the oldest time that is kept, and exactly as many lines match as InfluxDB rejected.
 *
 * A partial write of InfluxDB 2 reports one cause in one shard. It may have dropped further lines for other causes, so its other lines
 * count as stored only after InfluxDB has accepted them without a rejection.
 */
export function findRejected(
  lines: Uint8Array,
  precision: WritePrecision,
  rejections: readonly Rejection[],
): FoundLines {
  const found = new Map<number, Rejection>();
  const unknown: Rejection[] = [];
  for (const rejection of rejections) {
    const { index } = rejection;
    const indexes = index === undefined ? linesOf(rejection, readPoints(lines, precision)) : [index];
    if (indexes === undefined) unknown.push(rejection);
    for (const each of indexes ?? []) found.set(each, rejection);
  }
  return { found, unknown };
}

const HOUR_NS = 3_600_000_000_000n;
/** Durations of shards that InfluxDB 2 chooses. Shards begin on Mondays, at midnight, or on the hour (UTC). */
const SHARDS_NS = [7n * 24n * HOUR_NS, 24n * HOUR_NS, HOUR_NS];
/** From a Monday to 1970-01-01. */
const MONDAY_TO_EPOCH_NS = 3n * 24n * HOUR_NS;

/**
 * The positions of a part of at least two lines, to be sent apart from the others because a rejection is `unknown`: the lines that its
 * message may mean, or else the earlier ones, because a field has its type per shard. The times are divided between shards if possible.
 */
export function partToTry(lines: Uint8Array, precision: WritePrecision, message: string): ReadonlySet<number> {
  const points = readPoints(lines, precision);
  const suspects = suspectsOf(message, points) ?? [];
  const isPart = ({ length }: readonly number[]): boolean => length > 0 && length < points.length;
  if (isPart(suspects)) return new Set(suspects);
  const timeOf = (index: number): bigint => points[index]?.time ?? 0n;
  const inOrder = [...points.keys()].sort((a, b) => Number(timeOf(a) - timeOf(b)));
  const half = inOrder.slice(0, Math.ceil(points.length / 2));
  const middle = timeOf(half.at(-1) ?? 0);
  const parts = SHARDS_NS.flatMap((shard) => {
    const start = middle - ((((middle + MONDAY_TO_EPOCH_NS) % shard) + shard) % shard);
    return [start, start + shard].map((bound) => inOrder.filter((index) => timeOf(index) < bound));
  });
  return new Set(parts.find(isPart) ?? half);
}

interface Point {
  readonly measurement: string;
  readonly fields: readonly { readonly key: string; readonly kind: FieldKind }[];
  /** Nanoseconds since 1970. */
  readonly time: bigint;
}

type Test = (point: Point) => boolean;

function linesOf({ example, lines }: Rejection, points: readonly (Point | undefined)[]): number[] | undefined {
  if (lines >= points.length) return [...points.keys()];
  const suspects = suspectsOf(example, points);
  return suspects?.length === lines ? suspects : undefined;
}

/** The positions of the points that the message may mean; undefined if it is another message, or a point cannot be read. */
function suspectsOf(message: string, points: readonly (Point | undefined)[]): number[] | undefined {
  const isRejected = conflictIn(message) ?? outsideRetention(message);
  if (isRejected === undefined) return undefined;
  const suspects: number[] = [];
  for (const [index, point] of points.entries()) {
    if (point === undefined) return undefined;
    if (isRejected(point)) suspects.push(index);
  }
  return suspects;
}

function conflictIn(message: string): Test | undefined {
  const [, quotedField = '', quotedMeasurement = '', type = ''] = CONFLICT.exec(message) ?? [];
  const [field, name, kind] = [unquoted(quotedField), unquoted(quotedMeasurement), KINDS.get(type)];
  if (field === undefined || name === undefined || kind === undefined) return undefined;
  return ({ measurement, fields }) =>
    measurement === name && fields.some((each) => each.key === field && each.kind === kind);
}

function outsideRetention(message: string): Test | undefined {
  const bound = RETENTION.exec(message)?.[1];
  if (bound === undefined) return undefined;
  const oldest = toNanoseconds(bound);
  return ({ time }) => time < oldest;
}

/** The text of a name that Go quoted; undefined if it has an escape that JSON does not have. */
function unquoted(quoted: string): string | undefined {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return undefined;
  }
}

/** The point of each line; undefined for a line that cannot be read. */
function readPoints(lines: Uint8Array, precision: WritePrecision): (Point | undefined)[] {
  const points: (Point | undefined)[] = [];
  const decoder = new LineDecoder(lines);
  while (decoder.nextLine()) points.push(readPoint(decoder, precision));
  return points;
}

function readPoint(decoder: LineDecoder, precision: WritePrecision): Point | undefined {
  const { bytes } = decoder;
  const unit = V2_PRECISIONS.get(precision);
  if (unit === undefined || decoder.readMeasurement() === ERROR) return undefined;
  const measurement = unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInMeasurement);
  let reading = decoder.readTag();
  while (reading === TOKEN) reading = decoder.readTag();
  const fields: { key: string; kind: FieldKind }[] = [];
  if (reading !== ERROR) reading = decoder.readField();
  for (; reading === TOKEN; reading = decoder.readField()) {
    fields.push({ key: unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInKey), kind: decoder.kind });
  }
  if (reading === ERROR || decoder.readTime(unit) === ERROR) return undefined;
  return { measurement, fields, time: BigInt(decoder.seconds) * 1_000_000_000n + BigInt(decoder.nanos) };
}
