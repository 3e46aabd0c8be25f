/** The units of line protocol timestamps and their names in the write APIs. */

export interface Precision {
  readonly name: string;
  /** Number of timestamp digits below one second: 9 for ns, 6 for µs, 3 for ms, 0 for s and longer units. */
  readonly fractionDigits: 0 | 3 | 6 | 9;
  /** Seconds in one unit; 1 for s and shorter units. */
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

/** The precisions of `/api/v2/write`, by parameter value; the default is ns. Source: InfluxDB 2.x API. */
export const V2_PRECISIONS: ReadonlyMap<string, Precision> = new Map(
  [NANOSECONDS, MICROSECONDS, MILLISECONDS, SECONDS].map((unit) => [unit.name, unit]),
);

/** The precisions of the v1 path `/write`, by parameter value. Source: InfluxDB 1.x API. */
export const V1_PRECISIONS: ReadonlyMap<string, Precision> = new Map([
  ...V2_PRECISIONS,
  ['n', NANOSECONDS],
  ['u', MICROSECONDS],
  ['m', precision('m', 0, 60)],
  ['h', precision('h', 0, 3600)],
]);

/** A year after 1970, and 2100. A wrong precision moves a time by a factor of 1,000 or more, so beyond both. */
const [EARLY_SECONDS, LATE_SECONDS] = [31_536_000, 4_102_444_800];

/**
 * A question to the user about a time that a wrong precision explains, such as a number of seconds that was read as nanoseconds;
 * undefined for any other time.
 * @param seconds since 1970
 * @param nanos after that second
 */
export function precisionDoubt(seconds: number, nanos: number, unit: Precision): string | undefined {
  if (seconds >= EARLY_SECONDS && seconds < LATE_SECONDS) return undefined;
  const { fractionDigits, name, secondsPerUnit } = unit;
  const fraction = BigInt(nanos) / 10n ** BigInt(9 - fractionDigits);
  const timestamp = BigInt(seconds / secondsPerUnit) * 10n ** BigInt(fractionDigits) + fraction;
  const date = new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
  return `${timestamp} ${name} is ${date}: is the precision right?`;
}
