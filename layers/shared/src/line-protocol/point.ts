/** Points as objects, and how to read them from line protocol: for samples, tools and tests. The hot paths work on bytes. */
import { escapesInKey, escapesInMeasurement, escapesInString, unescapeText } from './bytes';
import { BOOLEAN, ERROR, INTEGER, LineDecoder, STRING, TOKEN, UNSIGNED } from './decoder';
import { NANOSECONDS, type Precision } from './precision';

export type FieldValue =
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'integer'; readonly value: bigint }
  | { readonly type: 'unsigned'; readonly value: bigint }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string };

export interface Point {
  readonly measurement: string;
  /** Keys and values. Points that were read from line protocol have them sorted by key. */
  readonly tags: readonly (readonly [string, string])[];
  readonly fields: readonly (readonly [string, FieldValue])[];
  /** Nanoseconds since 1970. */
  readonly time: bigint;
}

export interface LineError {
  /** From 1. */
  readonly line: number;
  /** `at line 3:14: expected a field value` */
  readonly reason: string;
}

/**
 * Reads all points of `bytes`. Reports an invalid line and continues with the next line.
 * @param defaultTime time of points without a timestamp, ns since 1970; truncated to the precision
 */
export function decodePoints(
  bytes: Uint8Array,
  defaultTime: bigint,
  precision: Precision = NANOSECONDS,
): { points: Point[]; errors: LineError[] } {
  const decoder = new LineDecoder(bytes);
  const points: Point[] = [];
  const errors: LineError[] = [];
  while (decoder.nextLine()) {
    const point = readPoint(decoder, defaultTime, precision);
    if (typeof point === 'string') errors.push({ line: decoder.line, reason: point });
    else points.push(point);
  }
  return { points, errors };
}

/** The point of the current line, or the reason why the line is invalid. */
function readPoint(decoder: LineDecoder, defaultTime: bigint, precision: Precision): Point | string {
  const { bytes } = decoder;
  if (decoder.readMeasurement() === ERROR) return decoder.describeError();
  const measurement = unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInMeasurement);
  const tags = new Map<string, string>();
  let reading = decoder.readTag();
  for (; reading === TOKEN; reading = decoder.readTag()) {
    const key = unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInKey);
    if (tags.has(key)) return `at line ${decoder.line}: duplicate tag key '${key}'`;
    tags.set(key, unescapeText(bytes, decoder.valueStart, decoder.valueEnd, escapesInKey));
  }
  const fields: [string, FieldValue][] = [];
  if (reading !== ERROR) {
    for (reading = decoder.readField(); reading === TOKEN; reading = decoder.readField()) {
      fields.push([unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInKey), fieldValue(decoder)]);
    }
  }
  if (reading !== ERROR) reading = decoder.readTime(precision);
  if (reading === ERROR) return decoder.describeError();
  const unit = 10n ** BigInt(9 - precision.fractionDigits) * BigInt(precision.secondsPerUnit);
  const time =
    reading === TOKEN ? BigInt(decoder.seconds) * 1_000_000_000n + BigInt(decoder.nanos) : (defaultTime / unit) * unit;
  return {
    measurement,
    tags: [...tags].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    fields,
    time,
  };
}

function fieldValue(decoder: LineDecoder): FieldValue {
  const { bytes, valueStart, valueEnd } = decoder;
  if (decoder.kind === STRING)
    return { type: 'string', value: unescapeText(bytes, valueStart, valueEnd, escapesInString) };
  const text = Buffer.from(bytes.subarray(valueStart, valueEnd)).toString('latin1');
  switch (decoder.kind) {
    case INTEGER:
      return { type: 'integer', value: BigInt(text) };
    case UNSIGNED:
      return { type: 'unsigned', value: BigInt(text) };
    case BOOLEAN:
      return { type: 'boolean', value: /^t/i.test(text) };
    default:
      return { type: 'float', value: Number(text) };
  }
}
