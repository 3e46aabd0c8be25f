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

/** Whether a load takes the text for a missing value of an optional tag. */
export const isNoTag = (value: string): boolean => /^(?:nan|none|null)?$/i.test(value.trim());

/** A tag's value as it is stored without trimming: line protocol cannot express backslashes at its end. */
export const withoutLastBackslashes = (value: string): string => withoutEnd(value, /\\/);

/** A tag's value as it is stored: trimmed, and without backslashes at its end, which line protocol cannot express. Empty: no tag. */
export function storedTag(value: string): string {
  return withoutEnd(value.trim(), /[\\\s]/);
}

/** Text without its last characters of a kind. Not by `+$`: that takes minutes for a text of a megabyte of them before another one. */
export function withoutEnd(text: string, kind: RegExp): string {
  let end = text.length;
  while (end > 0 && kind.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
