/** Times of a request. */

/** ns since 1970 of an RFC 3339 time with any offset. */
export function toNanoseconds(text: string): bigint {
  const [, seconds = '', fraction = '', zone = ''] = /^([^.Zz+]+?)(?:\.(\d+))?(Z|z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const ms = Date.parse(`${seconds}${zone.toUpperCase()}`);
  return BigInt(ms) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}
