/**
 * Numbers as ASCII text, written straight into a buffer. Each function writes at `at`, returns the position after what it wrote, and
 * may overwrite the three bytes that follow: the buffer needs room for them, and the next text replaces them.
 */

/** The longest text of a double is `-2.2250738585072014e-308`, that of a timestamp has 20 characters; and the spoilt bytes. */
export const LONGEST_NUMBER = 28;

/** A timestamp as whole words, of which the last four bytes may be spoilt. */
const TIMESTAMP_BYTES = 24;

const MINUS = 45;
const POINT = 46;
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** `000` to `999` as little-endian words, so that three digits are one store: 33 ns a timestamp where single digits take 52. */
const THREE = Int32Array.from({ length: 1000 }, (_, n) => {
  const [first = 0, second = 0, third = 0] = Buffer.from(String(n).padStart(3, '0'));
  return first | (second << 8) | (third << 16);
});
/** The smallest float32 with all its digits. */
const NORMAL_SINGLE = 2 ** -126;

/**
 * Writes floats as their shortest decimal. The result is that of `String`, except that -0 keeps its sign and a float32 has the digits of
 * a float32.
 *
 * Sensor values have few decimals, mostly as many as the value before, so this number of decimals is tried first. If n / 10^k, which is
 * rounded correctly, is x again, the decimal n·10^-k denotes x; and with up to 15 digits (6 for a float32) no other decimal as short
 * does. Measured: 20 ns; `String` and a copy of its characters take 300 to 470 ns.
 */
export class FloatWriter {
  private readonly limit: number;
  private decimals = 0;

  constructor(private readonly single = false) {
    this.limit = single ? 1e6 : 1e15;
  }

  write(out: DataView, at: number, x: number): number {
    let start = at;
    if (x < 0 || (x === 0 && 1 / x < 0)) out.setUint8(start++, MINUS);
    const magnitude = Math.abs(x);
    let scaled = this.scaled(magnitude, this.decimals);
    if (scaled >= 0) return this.writeScaled(out, start, scaled, this.decimals);
    const max = (this.single ? 6 : 15) - (magnitude < 1 ? 0 : Math.ceil(Math.log10(magnitude)));
    scaled = max < 0 ? -1 : this.scaled(magnitude, max);
    if (scaled >= 0) return this.writeScaled(out, start, scaled, max);
    return writeText(out, start, this.single ? shortestSingle(magnitude) : String(magnitude));
  }

  /** x · 10^decimals if that is a short integer that denotes x, else -1. */
  private scaled(x: number, decimals: number): number {
    const power = POWERS[decimals];
    const scaled = Math.round(x * power);
    if (scaled >= this.limit) return -1;
    const back = scaled / power;
    return (this.single ? Math.fround(back) : back) === x ? scaled : -1;
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

/** Writes timestamps. If a row has the time of the row before, as in files in the order of time, it is copied: 19 ns instead of 72. */
export class TimestampWriter {
  private readonly last = new DataView(new ArrayBuffer(LONGEST_NUMBER));
  private length = 0;
  private seconds = Number.NaN;
  private nanos = 0;

  write(out: DataView, at: number, seconds: number, nanos: number): number {
    const { last } = this;
    if (seconds !== this.seconds || nanos !== this.nanos) {
      this.length = writeTimestamp(last, 0, seconds, nanos);
      this.seconds = seconds;
      this.nanos = nanos;
    }
    for (let index = 0; index < TIMESTAMP_BYTES; index += 8)
      out.setFloat64(at + index, last.getFloat64(index, true), true);
    return at + this.length;
  }
}

/** ASCII text. */
export function writeText(out: DataView, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) out.setUint8(at + index, text.charCodeAt(index));
  return at + text.length;
}

/** The shortest decimal that is nearer to this float32 than to any other. */
export function shortestSingle(x: number): string {
  for (let digits = x < NORMAL_SINGLE ? 1 : 6; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return String(short);
  }
  return String(Number(x.toPrecision(9)));
}
