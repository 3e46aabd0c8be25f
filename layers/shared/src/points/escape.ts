/**
 * Text as it stands in line protocol.
 * Rules: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/#special-characters
 */

/** Nothing but a letter stands for a control character in a name or tag, as in InfluxData's own clients. */
const LETTERS: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

export function escapeMeasurement(text: string): string {
  return text.replace(/[\n\r\t, ]/g, (character) => LETTERS[character] ?? `\\${character}`);
}

/** A tag's key, a tag's value, or a field's key. */
export function escapeKey(text: string): string {
  return text.replace(/[\n\r\t,= ]/g, (character) => LETTERS[character] ?? `\\${character}`);
}

/** A string field with its quotes; line breaks stand as they are. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
