/** Prints sample line protocol. The same options give the same lines. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type SampleOptions, sampleLines } from './generator/lines';

const LINES_PER_CHUNK = 1_000;

function* chunks(lines: Iterable<string>): Generator<string> {
  let chunk: string[] = [];
  for (const line of lines) {
    if (chunk.push(line) < LINES_PER_CHUNK) continue;
    yield `${chunk.join('\n')}\n`;
    chunk = [];
  }
  if (chunk.length > 0) yield `${chunk.join('\n')}\n`;
}

export async function generate(options: SampleOptions, output: NodeJS.WritableStream): Promise<void> {
  await pipeline(Readable.from(chunks(sampleLines(options))), output, { end: false });
}
