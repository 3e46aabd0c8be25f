/**
 * Measures line protocol to the bodies of WriteRecords calls, in memory: the decoder alone, and decoding, mapping and packing together.
 * Compares them in the same run with a naive implementation, from text to JSON with objects. Before the measurement it checks that both
 * make the same records.
 *
 *     npm run bench -- encode [requests]
 *
 * Each implementation runs in a separate process (`--way`), twice over its requests. The second time counts.
 */

import { END, LineDecoder, TOKEN } from 'shared/line-protocol/decoder';
import { decodePoints } from 'shared/line-protocol/point';
import { NANOSECONDS } from 'shared/line-protocol/precision';
import { LineReport } from 'shared/line-report';
import { ByteWriter } from 'shared/timestream/byte-writer';
import { CallEncoder, packRecords } from 'shared/timestream/packing';
import { mapLines } from 'shared/timestream/records';
import { expandCall, identityOf } from '../test/support/timestream-calls';
import { DATABASE, naiveCalls, VERSION } from './naive';
import { type Row, report, round } from './report';
import { type Cost, costOf, inTurn, median, runMain } from './runs';
import { WORKLOADS, workload } from './workloads';

const LINES = 5_000;
const MAPPING = {
  singleTable: undefined,
  measureName: 'influxdb-measure',
  defaultDimension: undefined,
  requiredDimension: undefined,
  escapeNames: false,
  suffixedFields: [],
  precision: NANOSECONDS,
  requestTime: VERSION,
  maxLineBytes: 65_536,
  maxTagsAndFields: 100_000,
  maxJsonBytes: 104_857_600,
};

/** The implementations. They pass each body to `take`; it is valid until the next body. */
const ways: Record<string, (lines: Buffer, take: (body: Buffer) => void) => void> = {
  decoder(lines) {
    if (countTokens(lines) === 0) throw new Error('no tokens');
  },
  connector(lines, take) {
    const lineReport = new LineReport();
    const records = mapLines(lines, MAPPING, lineReport);
    const encoder = new CallEncoder(records, DATABASE);
    const body = ByteWriter.borrow(128 * 1024);
    for (const batch of packRecords(records, lineReport).batches) take(encoder.encode(batch, VERSION, body));
    body.release();
    records.release();
  },
  naive(lines, take) {
    for (const call of naiveCalls(lines)) take(Buffer.from(JSON.stringify(call)));
  },
};

function countTokens(lines: Buffer): number {
  const decoder = new LineDecoder(lines);
  let tokens = 0;
  while (decoder.nextLine()) {
    decoder.readMeasurement();
    let reading = decoder.readTag();
    for (; reading === TOKEN; reading = decoder.readTag()) tokens++;
    if (reading === END) for (reading = decoder.readField(); reading === TOKEN; reading = decoder.readField()) tokens++;
    decoder.readTime(NANOSECONDS);
  }
  return tokens;
}

/** @throws Error if connector and naive implementation make different records, or if the decoder finds a different number of tokens */
function compare(name: string): void {
  const lines = Buffer.from(workload(name).request(0, LINES));
  const records = (way: string): string[] => {
    const made: string[] = [];
    ways[way]?.(lines, (body) => {
      for (const record of expandCall(body).records) {
        made.push(`${identityOf(record)} ${JSON.stringify(Object.entries(record.measures).sort())}`);
      }
    });
    return made.sort();
  };
  const expected = records('naive');
  if (JSON.stringify(records('connector')) !== JSON.stringify(expected))
    throw new Error(`${name}: the records differ from the naive implementation`);
  const tokens = decodePoints(lines, 0n).points.reduce((sum, { tags, fields }) => sum + tags.length + fields.length, 0);
  if (countTokens(lines) !== tokens) throw new Error(`${name}: the number of tokens differs from the decoded points`);
}

function runWay(way: string, name: string, requests: number): Promise<Cost> {
  const bodies = Array.from({ length: requests }, (_, index) => Buffer.from(workload(name).request(index, LINES)));
  let bytes = 0;
  const once = (): void => {
    for (const body of bodies) ways[way]?.(body, (made) => (bytes += made.length));
  };
  once();
  return costOf(once);
}

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--way') {
    console.log(JSON.stringify(await runWay(rest[0] ?? '', rest[1] ?? '', Number(rest[2]))));
    return;
  }
  const requests = Number(first ?? 40);
  const rounds = first === undefined ? 5 : 1;
  const rows: Row[] = [];
  for (const { name } of WORKLOADS) {
    compare(name);
    const argv = Object.keys(ways).map((way) => [way, ['--way', way, name, requests]] as const);
    const outcomes = inTurn(Object.fromEntries(argv), rounds);
    const naive = outcomes.naive ?? [];
    for (const [way, costs] of Object.entries(outcomes)) {
      rows.push({
        workload: name,
        way,
        'points/s': Math.round((requests * LINES) / median(costs.map(({ seconds }) => seconds))),
        'CPU-s per million': round((median(costs.map(({ cpuSeconds }) => cpuSeconds)) * 1e6) / (requests * LINES)),
        ratio: round(median(costs.map(({ cpuSeconds }, index) => cpuSeconds / (naive[index]?.cpuSeconds ?? 0))), 3),
        'peak MB': Math.round(Math.max(...costs.map(({ peakMegabytes }) => peakMegabytes))),
      });
    }
  }
  await report(
    'encode',
    rows,
    { requests, 'lines per request': LINES, rounds },
    {
      title: 'CPU time from line protocol to the bodies of calls',
      value: 'CPU-s per million',
      meaning: 'CPU seconds per million points',
      way: 'way',
      group: 'workload',
    },
  );
}

runMain(main);
