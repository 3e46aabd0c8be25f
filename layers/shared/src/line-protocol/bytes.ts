/** Byte values, byte classes and escapes of line protocol. The decoder finds the ends of tokens with them. */

export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const ZERO = 0x30;
export const NINE = 0x39;
export const EQUALS = 0x3d;
export const BACKSLASH = 0x5c;

/** Ends a measurement: a comma, a space, or a control character. */
export const ENDS_MEASUREMENT = 1;
/** Ends a tag key or field key: a comma, a space, an equals sign, or a control character. */
export const ENDS_KEY = 2;
/** Ends an unquoted field value: a comma, a space or the end of the line. */
export const ENDS_VALUE = 4;
/** Ends a comment: a control character other than a tab. */
export const ENDS_COMMENT = 8;
/** May end a tag value: a comma, a space, an equals sign, LF or CR. Other control characters are part of the value. */
export const ENDS_TAG_VALUE = 16;

/** The classes of each byte, as bits. */
export const CLASS = new Uint8Array(256);

for (let byte = 0; byte < 256; byte++) {
  const control = byte < 0x20 || byte === 0x7f;
  const separator = byte === COMMA || byte === SPACE;
  let classes = 0;
  if (control || separator) classes |= ENDS_MEASUREMENT;
  if (control || separator || byte === EQUALS) classes |= ENDS_KEY;
  const lineBreak = byte === NEWLINE || byte === RETURN;
  if (separator || lineBreak) classes |= ENDS_VALUE;
  if (separator || lineBreak || byte === EQUALS) classes |= ENDS_TAG_VALUE;
  if (control && byte !== TAB) classes |= ENDS_COMMENT;
  CLASS[byte] = classes;
}

/** Whether a backslash before `byte` is an escape in a measurement: before a comma or a space. */
export function escapesInMeasurement(byte: number): boolean {
  return byte === COMMA || byte === SPACE;
}

/** Whether a backslash before `byte` is an escape in a tag key, tag value or field key. */
export function escapesInKey(byte: number): boolean {
  return byte === COMMA || byte === SPACE || byte === EQUALS;
}

/** Whether a backslash before `byte` is an escape in a string field value. */
export function escapesInString(byte: number): boolean {
  return byte === QUOTE || byte === BACKSLASH;
}

/** The text of `bytes[start, end)` without the backslashes that `escapes` recognizes. Every other backslash is literal. */
export function unescapeText(
  bytes: Uint8Array,
  start: number,
  end: number,
  escapes: (byte: number) => boolean,
): string {
  const plain = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let i = start; i < end; i++) {
    if (bytes[i] === BACKSLASH && i + 1 < end && escapes(bytes[i + 1])) i++;
    plain[length++] = bytes[i];
  }
  return plain.toString('utf8', 0, length);
}

/** Escapes the text of a tag key, tag value or field key for a line: a backslash before each comma, equals sign and space. */
export const escapeKey = (text: string): string => text.replace(/[,= ]/g, '\\$&');
