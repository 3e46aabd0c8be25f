/** Writes incompressible batches to the InfluxDB 3 of argv[2], and prints the rise of the peak memory in MB. */
import { randomBytes } from 'node:crypto';
import { loadLoaderConfig } from 'shared/loader-config';
import type { LineBatch } from 'shared/points/batch-buffer';
import { influxClient } from '../../functions/clients/influxdb';
import { write } from './influx-writing';

const BATCHES = 24;
const LINES = 16;

const config = loadLoaderConfig({ ...process.env, INFLUXDB_URL: process.argv[2] });
const lineBytes = config.batchLimits.bytes / LINES;
const text = Buffer.from(
  `m s="${randomBytes(lineBytes)
    .toString('base64')
    .slice(0, lineBytes - 9)}" 1\n`,
);
const spares: Buffer[] = [];

/** Buffers are written anew once they are released, as the Parquet worker does. */
async function* batches(count: number): AsyncGenerator<LineBatch> {
  for (let batch = 0; batch < count; batch++) {
    const bytes = spares.pop() ?? Buffer.alloc(config.batchLimits.bytes);
    for (let line = 0; line < LINES; line++) text.copy(bytes, line * lineBytes);
    yield await Promise.resolve({ bytes, lines: LINES, release: () => spares.push(bytes) });
  }
}

async function main(): Promise<void> {
  const client = influxClient(config);
  const { concurrency, maxBytesInFlight } = config;
  const before = process.resourceUsage().maxRSS;
  const { pointsWritten, failure } = await write(client, batches(BATCHES), { concurrency, maxBytesInFlight });
  if (failure) throw failure;
  const grownMegabytes = Math.round((process.resourceUsage().maxRSS - before) / 1024);
  console.log(JSON.stringify({ pointsWritten, grownMegabytes }));
  client.close();
}

void main();
