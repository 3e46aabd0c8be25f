/** Splits a batch of line protocol into lines, and joins lines to a batch. */

const [NEWLINE, SPACE, QUOTE, HASH, EQUALS, BACKSLASH] = [0x0a, 0x20, 0x22, 0x23, 0x3d, 0x5c];

/**
 * The lines of a batch as views of its bytes, without their newlines. Empty lines are left out.
 * A newline in a quoted field value does not end a line. A quote begins a string only directly after the `=` of a field.
 * Source: the line protocol reference of InfluxDB, "Quotes" and "Special characters".
 */
export function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  let inFields = false;
  let quoted = false;
  let valueStart = -1;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === HASH && i === start) {
      // Quotes in a comment have no meaning.
      const end = bytes.indexOf(NEWLINE, i);
      i = (end < 0 ? bytes.length : end) - 1;
    } else if (byte === BACKSLASH) i++;
    else if (byte === QUOTE) quoted = quoted ? false : inFields && i === valueStart;
    else if (quoted) continue;
    else if (byte === EQUALS) valueStart = i + 1;
    else if (byte === SPACE) inFields = true;
    else if (byte === NEWLINE) {
      if (i > start) lines.push(bytes.subarray(start, i));
      start = i + 1;
      inFields = false;
    }
  }
  if (start < bytes.length) lines.push(bytes.subarray(start));
  return lines;
}

/** Joins lines to one batch, each with a newline. */
export function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(lines.reduce((size, line) => size + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    joined.set(line, at);
    at += line.length;
    joined[at++] = NEWLINE;
  }
  return joined;
}
