/**
 * Numbers as ASCII text, written straight into a buffer. Each function writes at `at`, returns the position after what it wrote, and
 * may overwrite the three bytes that follow, and up to LONGEST_NUMBER bytes from `at` on: the buffer needs room for them, and the next text
 * replaces them.
 */
import type { Counts } from './counts';
import { type FloatBits, FORMATS, shortest } from './float-formats';

/** The longest text of a double is `-0.0000012345678901234567`, that of a timestamp has 20 characters; and the spoilt bytes. */
export const LONGEST_NUMBER = 28;
const SPOILT_BYTES = 4;

/** A kept text as whole words: one that is shorter spoils the rest. */
const TEXT_BYTES = 24;

const MINUS = 45;
const POINT = 46;
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** `000` to `999` as little-endian words, so that three digits are one store: 33 ns a timestamp where single digits take 52. */
const THREE = Int32Array.from({ length: 1000 }, (_, n) => {
  const [first = 0, second = 0, third = 0] = Buffer.from(String(n).padStart(3, '0'));
  return first | (second << 8) | (third << 16);
});

/** `0` to `999` without leading zeros. */
const SHORT = Int32Array.from({ length: 1000 }, (_, n) => THREE[n] >> (n > 99 ? 0 : n > 9 ? 8 : 16));
/** `.000` to `.999`, and their lengths without trailing zeros: nothing for `.000`. */
const FRACTIONS = THREE.map((digits) => (digits << 8) | POINT);
const FRACTION_LENGTHS = Uint8Array.from({ length: 1000 }, (_, n) =>
  n === 0 ? 0 : n % 100 === 0 ? 2 : n % 10 === 0 ? 3 : 4,
);

/** Numbers of more digits that are kept with their text. */
const KEPT = 1024;

class KeptTexts {
  readonly values = new Float64Array(KEPT);
  readonly texts = new DataView(new ArrayBuffer(KEPT * TEXT_BYTES + SPOILT_BYTES));
  readonly lengths = new Uint8Array(KEPT);
}
/** Shared by all columns, because a file may have thousands. */
const KEPT_TEXTS: Readonly<Record<FloatBits, KeptTexts>> = {
  16: new KeptTexts(),
  32: new KeptTexts(),
  64: new KeptTexts(),
};

const THOUSANDTHS = 1e3;
const MILLIONTHS = 1e6;

/**
 * Writes floats as their shortest decimal. The result is that of `String`, except that -0 keeps its sign and a float32 or
 * float16 has the digits of its own type.
 *
 * If n / 10^k, which is rounded correctly, is x again, the decimal n·10^-k denotes x; and with up to 15 digits (6 for a float32, 3 for a
 * float16) no other decimal as short does. Sensor values have few decimals, so thousandths or millionths of 31 bits are tried first, those
 * that fit the value before: their digits are found by integer division and copied from tables. Measured: 10 ns, and 30 ns for more digits;
 * `String` and a copy of its characters take 300 to 470 ns. A value of more digits is often a property of its series, such as a capacity,
 * and comes again: then its text is copied.
 */
export class FloatWriter {
  private readonly limit: number;
  private readonly shortLimit: number;
  private readonly round: ((x: number) => number) | undefined;
  private readonly digits: number;
  private parts = THOUSANDTHS;
  /** Whether the value before had more digits. */
  private isLong = false;
  private decimals = 0;
  private readonly kept: KeptTexts;

  constructor(private readonly bits: FloatBits = 64) {
    this.kept = KEPT_TEXTS[bits];
    const { digits, round } = FORMATS[bits];
    this.digits = digits;
    this.limit = 10 ** digits;
    this.shortLimit = Math.min(this.limit, 2 ** 31);
    this.round = bits === 64 ? undefined : round;
  }

  write(out: DataView, at: number, x: number): number {
    let start = at;
    if (x < 0 || (x === 0 && 1 / x < 0)) out.setUint8(start++, MINUS);
    const magnitude = Math.abs(x);
    if (this.isLong) return this.writeKept(out, start, magnitude);
    let count = this.countOf(magnitude);
    if (count < 0) {
      this.parts = this.parts === THOUSANDTHS ? MILLIONTHS : THOUSANDTHS;
      count = this.countOf(magnitude);
      if (count < 0) {
        this.isLong = true;
        return this.writeKept(out, start, magnitude);
      }
    }
    return this.parts === THOUSANDTHS ? writeThousandths(out, start, count) : writeMillionths(out, start, count);
  }

  /** x in thousandths or millionths if that is an integer of 31 bits that denotes x, else -1. */
  private countOf(x: number): number {
    const { parts } = this;
    const count = Math.round(x * parts);
    if (count >= this.shortLimit) return -1;
    const back = count / parts;
    return (this.round ? this.round(back) : back) === x ? count | 0 : -1;
  }

  /** A text is kept when its value comes again: to keep the texts of values that do not would take a quarter of the time. */
  private writeKept(out: DataView, at: number, x: number): number {
    const { values, texts, lengths } = this.kept;
    const slot = slotOf(x);
    const text = slot * TEXT_BYTES;
    if (values[slot] !== x) {
      values[slot] = x;
      lengths[slot] = 0;
      return this.writeLong(out, at, x);
    }
    if (lengths[slot] === 0) lengths[slot] = this.writeLong(texts, text, x) - text;
    copyWords(out, at, texts, text);
    return at + lengths[slot];
  }

  /** More digits. The number of decimals of the value before is tried first, then as many as the type keeps. */
  private writeLong(out: DataView, at: number, x: number): number {
    let scaled = this.scaled(x, this.decimals);
    if (scaled >= 0) {
      this.isLong = false;
      return this.writeScaled(out, at, scaled, this.decimals);
    }
    const max = this.digits - (x < 1 ? 0 : Math.ceil(Math.log10(x)));
    scaled = max < 0 ? -1 : this.scaled(x, max);
    if (scaled >= 0) return this.writeScaled(out, at, scaled, max);
    return writeText(out, at, shortest(x, this.bits));
  }

  /** x · 10^decimals if that is a short integer that denotes x, else -1. */
  private scaled(x: number, decimals: number): number {
    const power = POWERS[decimals];
    const scaled = Math.round(x * power);
    if (scaled >= this.limit) return -1;
    const back = scaled / power;
    return (this.round ? this.round(back) : back) === x ? scaled : -1;
  }

  private writeScaled(out: DataView, at: number, scaled: number, decimals: number): number {
    let n = scaled;
    let k = decimals;
    for (; k > 0; k--) {
      const tenth = Math.floor(n / 10);
      if (tenth * 10 !== n) break;
      n = tenth;
    }
    // `String` uses an exponent below 1e-6; this writer then falls back to it.
    if (k > 6 && n < POWERS[k - 6]) return writeText(out, at, String(n / POWERS[k]));
    // Only values of up to 6 decimals set the next guess: a rare long value must not slow down all later ones.
    if (k > this.decimals && k <= 6) this.decimals = k;
    if (k === 0) return writeInteger(out, at, n);
    const power = POWERS[k];
    const whole = Math.floor(n / power);
    const point = writeInteger(out, at, whole);
    out.setUint8(point, POINT);
    return writePadded(out, point + 1, n - whole * power, k);
  }
}

/** A count of thousandths below 2^31, without trailing zeros. */
function writeThousandths(out: DataView, at: number, count: number): number {
  const whole = (count / 1000) | 0;
  return writeFraction(out, writeWhole(out, at, whole), count - whole * 1000);
}

/** A count of millionths below 2^31, without trailing zeros. */
function writeMillionths(out: DataView, at: number, count: number): number {
  const thousandths = (count / 1000) | 0;
  const rest = count - thousandths * 1000;
  const whole = (thousandths / 1000) | 0;
  const point = writeWhole(out, at, whole);
  if (rest === 0) return writeFraction(out, point, thousandths - whole * 1000);
  out.setInt32(point, FRACTIONS[thousandths - whole * 1000], true);
  out.setInt32(point + 4, THREE[rest], true);
  return point + 3 + FRACTION_LENGTHS[rest];
}

function writeFraction(out: DataView, at: number, thousandths: number): number {
  if (thousandths !== 0) out.setInt32(at, FRACTIONS[thousandths], true);
  return at + FRACTION_LENGTHS[thousandths];
}

function writeWhole(out: DataView, at: number, n: number): number {
  if (n >= 1000) return writeInteger(out, at, n);
  out.setInt32(at, SHORT[n], true);
  return at + (n > 99 ? 3 : n > 9 ? 2 : 1);
}

/** A non-negative integer below 2^53. */
export function writeInteger(out: DataView, at: number, n: number): number {
  if (n >= 1e6) {
    const high = Math.floor(n / 1e6);
    return writePadded(out, writeInteger(out, at, high), n - high * 1e6, 6);
  }
  if (n >= 1000) {
    const high = (n / 1000) | 0;
    return writePadded(out, writeInteger(out, at, high), n - high * 1000, 3);
  }
  return writePadded(out, at, n, n >= 100 ? 3 : n >= 10 ? 2 : 1);
}

/** A non-negative integer of up to `digits` digits, with leading zeros. */
export function writePadded(out: DataView, at: number, n: number, digits: number): number {
  if (digits > 9) {
    const high = Math.floor(n / 1e9);
    return writePadded(out, writePadded(out, at, high, digits - 9), n - high * 1e9, 9);
  }
  let end = at;
  let rest = n | 0;
  if (digits > 6) {
    const high = (rest / 1e6) | 0;
    end = writeThree(out, end, high, digits - 6);
    rest -= high * 1e6;
  }
  if (digits > 3) {
    const high = (rest / 1000) | 0;
    end = writeThree(out, end, high, Math.min(3, digits - 3));
    rest -= high * 1000;
  }
  return writeThree(out, end, rest, Math.min(3, digits));
}

function writeThree(out: DataView, at: number, n: number, digits: number): number {
  out.setInt32(at, THREE[n] >> (8 * (3 - digits)), true);
  return at + digits;
}

/** Nanoseconds since 1970, given as whole seconds (negative before 1970) and the nanoseconds after them. */
export function writeTimestamp(out: DataView, at: number, seconds: number, nanos: number): number {
  return writeCount(out, at, seconds, nanos, 9);
}

/** The integer `high` · 10^digits + `rest`, with 0 <= rest < 10^digits and up to 9 digits. */
export function writeCount(out: DataView, at: number, high: number, rest: number, digits: number): number {
  if (high > 0) return writePadded(out, writeInteger(out, at, high), rest, digits);
  if (high === 0) return writeInteger(out, at, rest);
  out.setUint8(at, MINUS);
  const whole = rest === 0 ? -high : -high - 1;
  const part = rest === 0 ? 0 : 10 ** digits - rest;
  return whole === 0
    ? writeInteger(out, at + 1, part)
    : writePadded(out, writeInteger(out, at + 1, whole), part, digits);
}

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

/** A place for a double among the kept ones. */
function slotOf(x: number): number {
  double[0] = x;
  const mixed = Math.imul(halves[0] ^ Math.imul(halves[1], 0x85ebca6b), 0x9e3779b1);
  return (mixed >>> 16) & (KEPT - 1);
}

/** Writes timestamps. If a row has the time of the row before, as in files in the order of time, it is copied: 19 ns instead of 72. */
export class TimestampWriter {
  private readonly last = new DataView(new ArrayBuffer(LONGEST_NUMBER));
  private length = 0;
  private seconds = Number.NaN;
  private nanos = 0;

  write(out: DataView, at: number, times: Pick<Counts, 'seconds' | 'nanos'>, row: number): number {
    const { last } = this;
    const seconds = times.seconds[row];
    const nanos = times.nanos[row];
    if (seconds !== this.seconds || nanos !== this.nanos) {
      this.length = writeTimestamp(last, 0, seconds, nanos);
      this.seconds = seconds;
      this.nanos = nanos;
    }
    copyWords(out, at, last, 0);
    return at + this.length;
  }
}

function copyWords(out: DataView, at: number, from: DataView, start: number): void {
  for (let index = 0; index < TEXT_BYTES; index += 8)
    out.setFloat64(at + index, from.getFloat64(start + index, true), true);
}

/** ASCII text. */
export function writeText(out: DataView, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) out.setUint8(at + index, text.charCodeAt(index));
  return at + text.length;
}
