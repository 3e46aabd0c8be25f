/** Reads argv[2] damaged files after a warm-up, and prints the growth of the process in MB and the number of refused files. */
import fc from 'fast-check';
import { ParquetReader } from 'shared/parquet/reader';
import { damagedFile } from './damaged-parquet';
import { collect, memorySource, workerFile } from './parquet';

const WARM_UP = 20;
const SEED = 1;

async function main(): Promise<void> {
  const reader = new ParquetReader({ workerFile });
  const files = fc.sample(damagedFile(), { numRuns: WARM_UP + Number(process.argv[2]), seed: SEED });
  let before = 0;
  let refused = 0;
  for (const [index, file] of files.entries()) {
    if (index === WARM_UP) before = process.memoryUsage.rss();
    await collect(reader, memorySource(file)).catch(() => {
      refused++;
    });
  }
  const grownMegabytes = Math.round((process.memoryUsage.rss() - before) / 1024 ** 2);
  console.log(JSON.stringify({ grownMegabytes, refused }));
  await reader.close();
}

void main();
