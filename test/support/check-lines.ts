/** An independent definition of line ends: a regular expression of a whole line, written from the line protocol reference. */
const KEY = String.raw`(?:\\.|[^\s,=\\])+`;
const MEASUREMENT = String.raw`(?:\\.|[^\s,\\])+`;
const VALUE = String.raw`(?:"(?:\\[^]|[^"\\])*"|[^\s,"]+)`;
const LINE = new RegExp(`^${MEASUREMENT}(?:,${KEY}=${KEY})* ${KEY}=${VALUE}(?:,${KEY}=${VALUE})*(?: -?\\d+)?$`);
const LINES = new RegExp(`(?:${LINE.source.slice(1, -1)}\n)`, 'gy');

/** The lines of a text. @throws Error if the text is not a sequence of whole lines */
export function readLines(text: string): string[] {
  const lines = text.match(LINES) ?? [];
  if (lines.join('') !== text) throw new Error(`not a sequence of whole lines: ${JSON.stringify(text)}`);
  return lines.map((line) => line.slice(0, -1));
}

/** Checks that each body consists of whole lines. */
export function checkLines(bodies: readonly string[]): void {
  for (const body of bodies) readLines(body);
}
