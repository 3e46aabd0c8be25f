/** Binary floats of 16, 32 and 64 bits, and the shortest decimals that denote them. */

/** A binary float: its bits, how a number is rounded to it, the decimal digits that every normal one keeps, and its smallest normal one. */
interface Format {
  readonly round: (x: number) => number;
  readonly digits: number;
  readonly normal: number;
}
export type FloatBits = 16 | 32 | 64;
export const FORMATS: Readonly<Record<FloatBits, Format>> = {
  16: { round: roundToHalf, digits: 3, normal: 2 ** -14 },
  32: { round: Math.fround, digits: 6, normal: 2 ** -126 },
  64: { round: (x) => x, digits: 15, normal: 2 ** -1022 },
};

/**
 * The shortest decimal that is nearer to this float than to any other of its type. A whole float16 keeps its few digits: 65504, not 65500.
 * @param x not negative, a float of so many bits
 */
export function shortest(x: number, bits: FloatBits): string {
  if (bits === 64 || (bits === 16 && Number.isInteger(x))) return String(x);
  const { round, digits: kept, normal } = FORMATS[bits];
  // Below the normal numbers fewer digits are enough; three more than are kept always are.
  for (let digits = x < normal ? 1 : kept; digits < kept + 3; digits++) {
    const short = Number(x.toPrecision(digits));
    if (round(short) === x) return String(short);
  }
  return String(Number(x.toPrecision(kept + 3)));
}

/** The nearest IEEE 754 binary16, ties to even. @param x not negative */
function roundToHalf(x: number): number {
  if (x >= 65520) return Number.POSITIVE_INFINITY;
  // Steps of 2^-24 below the normal numbers, and of 2^-10 of the power of two above.
  const step = x < 2 ** -14 ? 2 ** -24 : 2 ** (Math.floor(Math.log2(x)) - 10);
  const steps = x / step;
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
  return (floor + (isUp ? 1 : 0)) * step;
}
