/**
 * A client of InfluxDB in a process of its own, since Node reads NODE_EXTRA_CA_CERTS at its start alone. For each line of stdin it makes
 * one write and prints what became of it, as JSON.
 */
import { createInterface } from 'node:readline';
import { clientOf, numberedBatches, write } from './influx-writing';

const client = clientOf(process.argv[2] ?? '');

async function main(): Promise<void> {
  for await (const _ of createInterface(process.stdin)) {
    const { pointsWritten, retries, failure } = await write(client, numberedBatches(1, 10));
    console.log(JSON.stringify({ pointsWritten, retries, failure: failure && `${failure.name}: ${failure.message}` }));
  }
  client.close();
}

void main();
