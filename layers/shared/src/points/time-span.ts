/** The range of the times of points, and how many lie before a given time. */

const PER_SECOND = 1_000_000_000n;

export class TimeSpan {
  /** Points before `keepFrom`. */
  before = 0;
  private firstSeconds = Number.POSITIVE_INFINITY;
  private firstNanos = 0;
  private lastSeconds = Number.NEGATIVE_INFINITY;
  private lastNanos = 0;

  /** @param keepFrom s since 1970 */
  constructor(private readonly keepFrom = Number.NEGATIVE_INFINITY) {}

  /** @param seconds since 1970, rounded down; @param nanos the nanoseconds after them */
  add(seconds: number, nanos: number): void {
    if (seconds < this.keepFrom) this.before++;
    if (seconds < this.firstSeconds || (seconds === this.firstSeconds && nanos < this.firstNanos)) {
      this.firstSeconds = seconds;
      this.firstNanos = nanos;
    }
    if (seconds > this.lastSeconds || (seconds === this.lastSeconds && nanos > this.lastNanos)) {
      this.lastSeconds = seconds;
      this.lastNanos = nanos;
    }
  }

  /** ns since 1970 as a decimal; null without points. */
  get earliest(): string | null {
    return timeText(this.firstSeconds, this.firstNanos);
  }

  get latest(): string | null {
    return timeText(this.lastSeconds, this.lastNanos);
  }
}

function timeText(seconds: number, nanos: number): string | null {
  return Number.isFinite(seconds) ? String(BigInt(seconds) * PER_SECOND + BigInt(nanos)) : null;
}

/** The earlier of two times in ns; null if there is neither. */
export const earlier = (a: string | null, b: string | null): string | null => pick(a, b, (x, y) => x < y);
/** The later of two times in ns; null if there is neither. */
export const later = (a: string | null, b: string | null): string | null => pick(a, b, (x, y) => x > y);

function pick(a: string | null, b: string | null, isFirst: (x: bigint, y: bigint) => boolean): string | null {
  if (a === null || b === null) return a ?? b;
  return isFirst(BigInt(a), BigInt(b)) ? a : b;
}
