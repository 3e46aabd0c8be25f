/**
 * Writes with @influxdata/influxdb-client. Reads a job from stdin (see ../clients.ts), and prints the errors that the client reports as a
 * JSON array of texts.
 */
import { text } from 'node:stream/consumers';
import { InfluxDB, Point, setLogger } from '@influxdata/influxdb-client';

const { url, token, gzip, batchSize, measurement, lines } = JSON.parse(await text(process.stdin));
setLogger({ error: () => undefined, warn: () => undefined });

const errors = [];
let unsettled = Math.max(1, lines.length);
let allSettled;
const settled = new Promise((resolve) => {
  allSettled = resolve;
});
const settle = (count) => {
  unsettled -= count;
  if (unsettled === 0) allSettled();
};
const writeApi = new InfluxDB({ url, token }).getWriteApi('any', 'any', 'ns', {
  batchSize,
  flushInterval: 0,
  gzipThreshold: gzip ? 0 : Number.MAX_SAFE_INTEGER,
  writeSuccess: (batch) => settle(batch.length),
  writeFailed: (error, batch) => {
    errors.push(`${error.name}: ${error.statusCode} ${error.statusMessage}: ${error.message}`);
    // The client's own timer retries 429 and above.
    if (error.statusCode < 429) settle(batch.length);
  },
});

if (lines.length === 0) {
  const point = new Point(measurement).tag('city', 'São Paulo').tag('path', 'C:\\a, b=c');
  point.floatField('f', -0.25).intField('i', -7).uintField('u', 7).booleanField('b', true);
  writeApi.writePoint(point.stringField('s', 'a "b" \\ c').timestamp('1709294400000000007'));
}
writeApi.writeRecords(lines);
await writeApi.flush().catch(() => undefined);
await settled;
await writeApi.close();
console.log(JSON.stringify(errors));
