/** A hash of the identity of a record: its dimensions in any order, its time and measure name. */
import type { RecordShape, WriteRecord } from './record-shape';

/** 64 bits, as two unsigned integers of 32 bits. */
export interface RecordHash {
  readonly high: number;
  readonly low: number;
}

/** Primes of the two halves, which are mixed at the end. Source: cyrb53 by bryc, public domain. */
const HIGH = 0x9e3779b1;
const LOW = 0x5f356495;

/** Continues a hash with texts. Each is followed by its length, so that different lists do not give the same sequence. */
function hashTexts(start: RecordHash, texts: readonly string[], order: readonly number[]): RecordHash {
  let { high, low } = start;
  for (let i = 0; i < order.length; i++) {
    const text = texts[order[i] ?? 0] ?? '';
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      high = Math.imul(high ^ code, HIGH);
      low = Math.imul(low ^ code, LOW);
    }
    high = Math.imul(high ^ text.length, LOW);
    low = Math.imul(low ^ text.length, HIGH);
  }
  return { high, low };
}

const ofShapes = new WeakMap<RecordShape, RecordHash>();

/** The hash of the names, which all records of a shape share. */
function hashShape(shape: RecordShape): RecordHash {
  const known = ofShapes.get(shape);
  if (known !== undefined) return known;
  const hash = hashTexts(hashTexts({ high: 1, low: 2 }, [shape.measureName], [0]), shape.dimensions, shape.order);
  ofShapes.set(shape, hash);
  return hash;
}

const time = new BigInt64Array(1);
const timeHalves = new Int32Array(time.buffer);

/** The same for records of the same identity; a few others may have it too. */
export function hashOf(record: WriteRecord): RecordHash {
  let { high, low } = hashTexts(hashShape(record.shape), record.dimensions, record.shape.order);
  time[0] = record.time;
  for (const half of timeHalves) {
    high = Math.imul(high ^ half, HIGH);
    low = Math.imul(low ^ half, LOW);
    high ^= high >>> 15;
    low ^= low >>> 13;
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return { high: high >>> 0, low: low >>> 0 };
}
