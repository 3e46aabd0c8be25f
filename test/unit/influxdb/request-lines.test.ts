import { batchLines } from 'shared/influxdb/request-lines';
import { V2_PRECISIONS } from 'shared/line-protocol/precision';
import { LineReport } from 'shared/line-report';

const OPTIONS = { requestTime: 1_709_294_400_123, maxLineBytes: 1_000, batchLines: 100, batchBytes: 10_000 };

function linesOf(body: string): string {
  const precision = V2_PRECISIONS.get('ns');
  if (precision === undefined) throw new Error('no precision ns');
  const batches = batchLines(Buffer.from(body), { ...OPTIONS, precision }, new LineReport());
  return batches.map(({ bytes }) => Buffer.from(bytes).toString()).join('|');
}

test.each([
  ['CRLF after a timestamp', 'm v=1 7\r\nm v=2 8\r\n', 'm v=1 7\nm v=2 8\n'],
  ['CRLF after a field', 'm v=1\r\n', 'm v=1 1709294400123000000\n'],
  ['CR at the end of the body', 'm v=1 7\nm v=2 8\r', 'm v=1 7\nm v=2 8\n'],
  ['CRLF within a string stays', 'm s="a\r\nb" 7\r\nm v=1 8\n', 'm s="a\r\nb" 7\nm v=1 8\n'],
])('leaves the CR of a line end out, which InfluxDB would read as a part of the line: %s', (_, body, expected) => {
  expect(linesOf(body)).toBe(expected);
});
