/**
 * An InfluxDB client in a separate process, because Node reads NODE_EXTRA_CA_CERTS only at its start. For each line of stdin it sends one
 * write and prints the outcome as JSON.
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
