/** The text of some lines of a request, as they were sent. */
import { FAULT, LineDecoder, type Reading, TOKEN } from './decoder';
import type { Precision } from './precision';

/**
 * Lines of `bytes` by number (from 1), in order, without what ends them. A line ends where the decoder says so: one with a newline
 * inside a string is one line.
 */
export function selectLines(bytes: Uint8Array, precision: Precision, numbers: ReadonlySet<number>): string[] {
  const decoder = new LineDecoder(bytes);
  const lines: string[] = [];
  while (decoder.nextLine()) {
    const { line, lineStart } = decoder;
    readTokens(decoder, precision);
    const end = decoder.endLine();
    if (numbers.has(line))
      lines.push(
        Buffer.from(bytes.subarray(lineStart, end))
          .toString()
          .replace(/\r?\n?$/, ''),
      );
  }
  return lines;
}

function readTokens(decoder: LineDecoder, precision: Precision): void {
  if (decoder.readMeasurement() === FAULT) return;
  let reading: Reading;
  do reading = decoder.readTag();
  while (reading === TOKEN);
  if (reading === FAULT) return;
  do reading = decoder.readField();
  while (reading === TOKEN);
  if (reading !== FAULT) decoder.readTime(precision);
}
