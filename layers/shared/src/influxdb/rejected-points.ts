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

/**
 * The positions of the rejected lines in the batch, from 0. Undefined unless the message names a measurement, a field and a type, or the
 * oldest time that is kept, and exactly as many lines match as InfluxDB rejected.
 * @param rejected number of lines that InfluxDB rejected
 */
export function findRejected(
  lines: Uint8Array,
  precision: WritePrecision,
  message: string,
  rejected: number,
): number[] | undefined {
  const isRejected = conflictIn(message) ?? outsideRetention(message);
  if (isRejected === undefined) return undefined;
  const found: number[] = [];
  const decoder = new LineDecoder(lines);
  const unit = V2_PRECISIONS.get(precision);
  for (let index = 0; unit !== undefined && decoder.nextLine(); index++) {
    const point = readPoint(decoder);
    if (point === undefined || decoder.readTime(unit) === ERROR) return undefined;
    if (isRejected(point, decoder)) found.push(index);
  }
  return found.length === rejected ? found : undefined;
}

interface Point {
  readonly measurement: string;
  readonly fields: readonly { readonly key: string; readonly kind: FieldKind }[];
}

type Test = (point: Point, time: LineDecoder) => boolean;

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
  return (_, { seconds, nanos }) => BigInt(seconds) * 1_000_000_000n + BigInt(nanos) < oldest;
}

/** The text of a name that Go quoted; undefined if it has an escape that JSON does not have. */
function unquoted(quoted: string): string | undefined {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return undefined;
  }
}

function readPoint(decoder: LineDecoder): Point | undefined {
  const { bytes } = decoder;
  if (decoder.readMeasurement() === ERROR) return undefined;
  const measurement = unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInMeasurement);
  let reading = decoder.readTag();
  while (reading === TOKEN) reading = decoder.readTag();
  const fields: { key: string; kind: FieldKind }[] = [];
  if (reading !== ERROR) reading = decoder.readField();
  for (; reading === TOKEN; reading = decoder.readField()) {
    fields.push({ key: unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInKey), kind: decoder.kind });
  }
  return reading === ERROR ? undefined : { measurement, fields };
}
