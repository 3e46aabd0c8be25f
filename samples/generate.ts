/** `npm run -s sample:generate`: prints sample line protocol, the same for the same options. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runProgram } from './command/program';
import { GENERATOR_USAGE, readGeneratorArguments } from './generator/arguments';
import { sampleLines } from './generator/lines';

const LINES_A_CHUNK = 1_000;

function* chunks(lines: Iterable<string>): Generator<string> {
  let chunk: string[] = [];
  for (const line of lines) {
    if (chunk.push(line) < LINES_A_CHUNK) continue;
    yield `${chunk.join('\n')}\n`;
    chunk = [];
  }
  if (chunk.length > 0) yield `${chunk.join('\n')}\n`;
}

async function generate(args: string[]): Promise<number> {
  const options = readGeneratorArguments(args);
  if (options === undefined) {
    console.log(GENERATOR_USAGE);
    return 0;
  }
  await pipeline(Readable.from(chunks(sampleLines(options))), process.stdout).catch((error: NodeJS.ErrnoException) => {
    // Whoever read the lines, `head` perhaps, has enough of them.
    if (error.code !== 'EPIPE') throw error;
  });
  return 0;
}

void runProgram(generate);
