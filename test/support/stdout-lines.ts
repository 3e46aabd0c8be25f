/** The lines that `use` writes to stdout and stderr. */
export async function stdoutLines(use: () => unknown): Promise<string[]> {
  const lines: string[] = [];
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => stream.write);
  for (const stream of streams) stream.write = (chunk: string | Uint8Array) => lines.push(String(chunk)) > 0;
  try {
    await use();
  } finally {
    streams.forEach((stream, index) => {
      stream.write = originals[index] ?? stream.write;
    });
  }
  return lines.join('').split('\n').filter(Boolean);
}
