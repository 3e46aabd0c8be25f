/** The memory of a write whose errors InfluxDB reports one by one. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LineWriter } from 'shared/influxdb/client';
import { batchLines } from 'shared/influxdb/request-lines';
import { destinationBreaker, writeLineBatches } from 'shared/influxdb/request-writer';
import { NANOSECONDS } from 'shared/line-protocol/precision';
import { LineReport } from 'shared/line-report';
import { recordingLogger } from '../../support/influx-writing';

const LINES = 300;

test('does not keep the batches of earlier calls when InfluxDB reports its causes one by one', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const lines = Array.from({ length: LINES }, (_, n) => `m,n=${n} f${n}=${n}i ${n}\n`);
  const batches: WeakRef<Uint8Array>[] = [];
  let kept = 0;
  const client: LineWriter = {
    encode: (bytes) => Promise.resolve({ lines: bytes, body: bytes }),
    write: async ({ lines: bytes }) => {
      batches.push(new WeakRef(bytes));
      if (batches.length === LINES - 1) {
        await setImmediate();
        collect();
        kept = batches.filter((batch) => batch.deref() !== undefined).length;
      }
      const [, n] = /^m,n=(\d+) /.exec(Buffer.from(bytes).toString()) ?? [];
      const example = `partial write: field type conflict: input field "f${n}" on measurement "m" is type integer, already exists as type float dropped=1`;
      return { kind: 'rejected', rejections: [{ reason: 'type', lines: 1, example }] };
    },
  };
  const limits = { maxLineBytes: 65_536, batchLines: 5_000, batchBytes: 4_194_304 };
  const report = new LineReport();
  const body = Buffer.from(lines.join(''));
  const given = batchLines(body, { ...limits, precision: NANOSECONDS, requestTime: 0 }, report);
  const options = { client, body, precision: 'ns' as const, breaker: destinationBreaker(), logger: recordingLogger() };
  const outcome = await writeLineBatches(given, options, report, new AbortController().signal);
  expect(report.rejectedLines).toBe(LINES);
  expect(outcome).toMatchObject({ calls: LINES, stored: 0, unstored: [] });
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(10);
});
