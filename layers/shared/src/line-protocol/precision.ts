/** The unit of line protocol timestamps, as the write endpoints name it. */

/** How many decimal digits of a timestamp are below one second, or how many seconds one unit is. */
export interface Precision {
  readonly name: string;
  /** 9 for ns, 6 for µs, 3 for ms, 0 for s and longer units. */
  readonly fractionDigits: 0 | 3 | 6 | 9;
  /** Seconds in a unit; 1 for s and shorter units. */
  readonly secondsPerUnit: number;
}

const precision = (name: string, fractionDigits: Precision['fractionDigits'], secondsPerUnit = 1): Precision => ({
  name,
  fractionDigits,
  secondsPerUnit,
});

export const NANOSECONDS = precision('ns', 9);
const MICROSECONDS = precision('us', 6);
const MILLISECONDS = precision('ms', 3);
const SECONDS = precision('s', 0);

/** What `/api/v2/write` takes; absent means ns. Source: InfluxDB 2.x API. */
export const V2_PRECISIONS: ReadonlyMap<string, Precision> = new Map(
  [NANOSECONDS, MICROSECONDS, MILLISECONDS, SECONDS].map((unit) => [unit.name, unit]),
);

/** What the v1 path `/write` takes besides. Source: InfluxDB 1.x API. */
export const V1_PRECISIONS: ReadonlyMap<string, Precision> = new Map([
  ...V2_PRECISIONS,
  ['n', NANOSECONDS],
  ['u', MICROSECONDS],
  ['m', precision('m', 0, 60)],
  ['h', precision('h', 0, 3600)],
]);
