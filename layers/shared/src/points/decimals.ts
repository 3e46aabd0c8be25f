/** Arrow decimals of 32 to 256 bits as doubles, correctly rounded. */
import type { ArrowColumn } from '../parquet/c-data';

/** Bits and scale of a decimal's format `d:precision,scale[,bits]`, or undefined for another format. */
export function decimalOf(format: string): { bytes: number; scale: number } | undefined {
  const match = /^d:\d+,(-?\d+)(?:,(\d+))?$/.exec(format);
  return match ? { bytes: Number(match[2] ?? 128) / 8, scale: Number(match[1]) } : undefined;
}

/**
 * Reads a decimal column. Up to 15 digits and 22 decimals it is one division of exact doubles, which rounds once; beyond, it goes
 * over the decimal's text.
 */
export function decimalReader(column: ArrowColumn, bytes: number, scale: number): (row: number) => number {
  const view = new DataView(column.memory, column.buffer(1) + column.offset * bytes, column.length * bytes);
  const divisor = scale >= 0 && scale <= 22 ? Number(`1e${scale}`) : Number.NaN;
  return (row) => {
    const at = row * bytes;
    if (!Number.isNaN(divisor)) {
      const low = view.getInt32(at, true);
      const short = bytes === 4 ? low : view.getInt32(at + 4, true) * 4294967296 + (low >>> 0);
      if (Math.abs(short) < 1e15 && isSignOnly(view, at + 8, at + bytes, short < 0 ? -1 : 0)) return short / divisor;
    }
    return Number(`${integerAt(view, at, bytes)}e${-scale}`);
  };
}

function isSignOnly(view: DataView, from: number, to: number, sign: number): boolean {
  for (let at = from; at < to; at += 4) if (view.getInt32(at, true) !== sign) return false;
  return true;
}

function integerAt(view: DataView, at: number, bytes: number): bigint {
  let value = 0n;
  for (let offset = bytes - 4; offset >= 0; offset -= 4)
    value = (value << 32n) | BigInt(view.getUint32(at + offset, true));
  return BigInt.asIntN(bytes * 8, value);
}
