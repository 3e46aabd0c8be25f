/** Recognizes equal sets of points in any order and division, such as those of a query that was exported twice. */

/**
 * The sum of a hash of 64 bits over the points' series and times. Sums of parts add up to the sum of the whole. Two different sets of
 * points have the same sum with a chance of about 1 in 10^19.
 */
export class PointSet {
  private low = 0;
  private high = 0;

  add(series: SeriesHash, seconds: number, nanos: number): void {
    const upper = Math.floor(seconds / 4294967296);
    const a = mix(mix(mix(series.a, seconds | 0), nanos), upper);
    const b = mix(mix(mix(series.b, nanos), seconds | 0), upper ^ 0x27d4eb2f);
    const sum = this.low + (a >>> 0);
    this.low = sum % 4294967296;
    this.high = (this.high + (b >>> 0) + (sum >= 4294967296 ? 1 : 0)) % 4294967296;
  }

  /** 16 hexadecimal digits. */
  get sum(): string {
    return hex(this.high) + hex(this.low);
  }
}

/** The sum of two sums. */
export function addSums(a: string, b: string): string {
  return BigInt.asUintN(64, BigInt(`0x${a}`) + BigInt(`0x${b}`))
    .toString(16)
    .padStart(16, '0');
}

export const EMPTY_SUM = '0'.repeat(16);

export interface SeriesHash {
  readonly a: number;
  readonly b: number;
}

/** @param series measurement and sorted tags */
export function seriesHash(series: string): SeriesHash {
  let a = 0x2545f491;
  let b = 0x6c8e9cf5;
  for (let index = 0; index < series.length; index++) {
    const code = series.charCodeAt(index);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (code + index), 0x85ebca6b);
    b ^= b >>> 13;
  }
  return { a, b };
}

/** The finalizer of MurmurHash3 over a word, chained. */
function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');
