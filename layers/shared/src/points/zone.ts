/** Converts wall-clock times of a zone to instants, fast enough for columns of millions of rows. */

const DAY = 86_400;
/** Seconds from 1970 that a Date and its zones reach, rounded down. */
export const FAR = 8.6e12;

/**
 * The seconds to subtract from a wall-clock time, given as if it were UTC, to get the instant. A time that a zone's clocks show twice
 * is its first occurrence. A time that they skip is read with the offset before the change, as Temporal and most libraries do.
 */
export class ZoneOffsets {
  private readonly clock: Intl.DateTimeFormat;
  /** Offset by day if no change is within a day of it, else NaN. Changes are rare, so this serves almost all rows. */
  private readonly days = new Map<number, number>();
  private readonly changes = new Map<number, number>();

  constructor(zone: string) {
    this.clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
      era: 'short',
    });
  }

  /** Undefined for a name that is not a zone. */
  static of(zone: string): ZoneOffsets | undefined {
    try {
      return new ZoneOffsets(zone);
    } catch {
      return undefined;
    }
  }

  at(wall: number): number {
    const day = Math.floor(wall / DAY);
    let offset = this.days.get(day);
    if (offset === undefined) {
      const before = this.ofInstant((day - 1) * DAY);
      offset = before === this.ofInstant((day + 2) * DAY) ? before : Number.NaN;
      this.days.set(day, offset);
    }
    return Number.isNaN(offset) ? this.nearChange(wall) : offset;
  }

  private nearChange(wall: number): number {
    const known = this.changes.get(wall);
    if (known !== undefined) return known;
    const before = this.ofInstant(wall - 2 * DAY);
    const after = this.ofInstant(wall + 2 * DAY);
    const isAfter = this.ofInstant(wall - before) !== before && this.ofInstant(wall - after) === after;
    const offset = isAfter ? after : before;
    this.changes.set(wall, offset);
    return offset;
  }

  /** Seconds that the zone's clocks are ahead of UTC at an instant. */
  private ofInstant(seconds: number): number {
    const parts = Object.fromEntries(this.clock.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]));
    const year = parts.era === 'BC' ? 1 - Number(parts.year) : Number(parts.year);
    const shown = new Date(0);
    shown.setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
    shown.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
    return Math.round(shown.getTime() / 1000 - seconds);
  }
}
