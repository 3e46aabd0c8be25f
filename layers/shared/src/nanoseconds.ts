/** Times in nanoseconds since 1970, and as RFC 3339 text. */

const PER_SECOND = 1_000_000_000n;

/** ns since 1970 of an RFC 3339 time with any offset. */
export function toNanoseconds(text: string): bigint {
  const [, seconds = '', fraction = '', zone = ''] = /^([^.Zz+]+?)(?:\.(\d+))?(Z|z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const ms = Date.parse(`${seconds}${zone.toUpperCase()}`);
  return BigInt(ms) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** RFC 3339 in UTC with nine decimals. @param ns since 1970, as a decimal */
export function timeText(ns: string): string {
  const rest = ((BigInt(ns) % PER_SECOND) + PER_SECOND) % PER_SECOND;
  const seconds = (BigInt(ns) - rest) / PER_SECOND;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, -5)}.${String(rest).padStart(9, '0')}Z`;
}

/** The same with only the decimals that it needs. */
export const shortTimeText = (ns: string): string => timeText(ns).replace(/\.?0+Z$/, 'Z');
