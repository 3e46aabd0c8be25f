/**
 * Escapes text for line protocol.
 * Rules: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/#special-characters
 */

/** Control characters in a name or tag are written as letters, as InfluxData's own clients do. */
const LETTERS: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Whether a name or tag is stored with other characters, so that it may be the same as another one. */
export const hasControlCharacters = (text: string): boolean => /[\n\r\t]/.test(text);

export function escapeMeasurement(text: string): string {
  return text.replace(/[\n\r\t, ]/g, (character) => LETTERS[character] ?? `\\${character}`);
}

/** A tag's key, a tag's value, or a field's key. */
export function escapeKey(text: string): string {
  return text.replace(/[\n\r\t,= ]/g, (character) => LETTERS[character] ?? `\\${character}`);
}

/** A string field with its quotes; line breaks stay as they are. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** A tag's value as it is stored without trimming: line protocol cannot express backslashes at its end. */
export const withoutLastBackslashes = (value: string): string => value.replace(/\\+$/, '');

/** A tag's value as it is stored: trimmed, and without backslashes at its end, which line protocol cannot express. Empty: no tag. */
export function storedTag(value: string): string {
  return value.trim().replace(/[\\\s]+$/, '');
}
