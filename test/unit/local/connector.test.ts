/** The parts that the local server adds to the function: a log line per request, and the reason if nothing can be stored. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LineReport } from 'shared/line-report';
import type { DestinationResult, RequestResult } from '../../../functions/write-line-protocol/destination';
import type { HttpResponse } from '../../../functions/write-line-protocol/responses';
import { noteWrite, noting, requestLine, type WriteNote } from '../../../local/connector/request-log';
import { withStorageFault } from '../../../local/connector/storage';
import { storageProblem } from '../../../local/timestream/storage-fault';

const noted = (
  outcomes: readonly Partial<DestinationResult>[],
  reports: readonly LineReport[],
  totals: Pick<RequestResult, 'stored' | 'unstored'> = { stored: 0, unstored: 0 },
): RequestResult => ({
  ...totals,
  results: outcomes.map((outcome) => ({
    ...{ destination: 'timestream', points: 0, calls: 1, throttledCalls: 0, stored: 0, superseded: 0, unstored: 0 },
    ...{ throttled: false, unstoredReason: undefined, advice: '' },
    ...outcome,
  })),
  faultyLines: reports.reduce((sum, report) => sum + report.faultyLines, 0),
  rejectedLines: reports.reduce((sum, report) => sum + report.rejectedLines, 0),
  influxdbOnlyLines: 0,
  reasons: [],
});
const BODY = Buffer.from('m f=1\n\nm f=2');

/** Bytes of the objects that are still referenced. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

describe('the line of a request', () => {
  const line = (totals: object, reason = '') => requestLine('POST /api/v2/write', 204, 35.4, totals, reason);

  test('has the time of day, method, path, status, ms and points', () => {
    expect(line({ stored: 12, unstored: 0 })).toMatch(
      /^\d\d:\d\d:\d\d POST \/api\/v2\/write 204 35 ms, 12 points stored$/,
    );
    expect(line({ stored: 9, faultyLines: 1, rejectedLines: 2, unstored: 2 })).toMatch(
      / 9 points stored, 3 refused, 2 not stored$/,
    );
    expect(line({ stored: 1, unstored: 0 })).toMatch(/ 1 point stored$/);
    expect(line({ stored: 3, influxdbOnly: 1 })).toMatch(/ 3 points stored \(InfluxDB only: 1\)$/);
    expect(line({})).toMatch(/ 204 35 ms$/);
    expect(line({}, '{"code":"invalid"}')).toMatch(/ 204 35 ms {2}\{"code":"invalid"\}$/);
  });

  test('counts the points of its own request only, also with concurrent writes', async () => {
    const notes: WriteNote[] = [{}, {}];
    const write = async (index: number) => {
      await Promise.resolve();
      const reports = [new LineReport()];
      noteWrite(noted([{}], reports, { stored: index + 1, unstored: 0 }), reports, BODY);
    };
    await Promise.all(notes.map((each, index) => noting(each, () => write(index))));
    expect(notes).toEqual(
      [1, 2].map((stored) => ({
        ...{
          bytes: BODY.length,
          lines: 3,
          stored,
          influxdbOnly: 0,
          unstored: 0,
          faultyLines: 0,
          rejectedLines: 0,
          refused: [],
        },
      })),
    );
  });

  test('a note has the first 20 refused lines, in the order of the request, with their text', async () => {
    const text = Array.from({ length: 30 }, (_, index) => `m f=${index}`).join('\n');
    const report = new LineReport();
    // The service reports rejected lines in any order.
    for (let index = 29; index >= 0; index--) {
      const start = text.split('\n').slice(0, index).join('\n').length + Number(index > 0);
      const end = Math.min(text.length, start + `m f=${index}\n`.length);
      report.rejected({ line: index + 1, start, end }, 'too old');
    }
    const note: WriteNote = {};
    await noting(note, () => {
      noteWrite(noted([{}], [report]), [report], Buffer.from(text));
      return Promise.resolve();
    });
    expect(note).toMatchObject({ faultyLines: 0, rejectedLines: 30 });
    expect(note.refused).toHaveLength(20);
    expect(note.refused?.[0]).toEqual({ line: 1, reason: 'line 1: too old', text: 'm f=0' });
    expect(note.refused?.[19]).toEqual({ line: 20, reason: 'line 20: too old', text: 'm f=19' });
  });

  test('a note keeps nothing of a long name but the part that its reason quotes', async () => {
    const notes: WriteNote[] = Array.from({ length: 200 }, () => ({}));
    const before = usedBytes();
    for (const note of notes) {
      const report = new LineReport();
      const name = Buffer.alloc(100_000, 'x').toString();
      report.rejected({ line: 1, start: 0, end: 5 }, `tag '${name}': the name is longer than 60 bytes`);
      await noting(note, () => Promise.resolve(noteWrite(noted([{}], [report]), [report], BODY)));
    }
    expect(notes[199]?.refused?.[0]?.reason).toMatch(/^line 1: tag 'xxx.*\.\.\.$/);
    expect(usedBytes() - before).toBeLessThan(200 * 10_000);
  });

  test('with two destinations a note names the one that refuses a line, and has the points that both have stored', async () => {
    const reports = [new LineReport({ prefix: 'timestream: ' }), new LineReport({ prefix: 'influxdb: ' })];
    const body = Buffer.from('a f=1\nb f=2\nc f=3\n');
    reports[1]?.rejected({ line: 1, start: 0, end: 6 }, 'a type conflict');
    reports[0]?.rejected({ line: 2, start: 6, end: 12 }, 'too old');
    reports[1]?.rejectedSome(
      2,
      [
        { line: 1, start: 0, end: 6 },
        { line: 3, start: 12, end: 18 },
      ],
      'outside retention',
    );
    const note: WriteNote = {};
    const outcomes = [{ stored: 2 }, { destination: 'influxdb' as const, stored: 1, unstored: 1 }];
    const totals = { stored: 1, unstored: 1 };
    await noting(note, () => Promise.resolve(noteWrite(noted(outcomes, reports, totals), reports, body)));
    expect(note).toMatchObject({ lines: 3, stored: 1, unstored: 1, rejectedLines: 4 });
    expect(note.refused).toEqual([
      { line: 1, reason: 'line 1: influxdb: a type conflict', text: 'a f=1', destination: 'influxdb' },
      { line: 1, reason: '2 of 2 lines from line 1: influxdb: outside retention', text: '', destination: 'influxdb' },
      { line: 2, reason: 'line 2: timestream: too old', text: 'b f=2', destination: 'timestream' },
    ]);
  });
});

describe('while nothing can be stored', () => {
  const respond = (statusCode: number, body: object): HttpResponse => ({
    statusCode,
    headers: { 'Retry-After': '2' },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  });
  const respondWith = async (response: HttpResponse, fault: string | undefined) => {
    const handler = withStorageFault(
      () => Promise.resolve(response),
      () => fault,
    );
    return await handler({});
  };
  const busy = respond(503, { code: 'unavailable', message: 'later' });

  test('a 503 has the reason as its message', async () => {
    expect(await respondWith(busy, 'the disk is full')).toEqual(
      respond(503, { code: 'unavailable', message: 'the disk is full' }),
    );
    expect(await respondWith(respond(503, { status: 'fail', message: 'x' }), 'full')).toEqual(
      respond(503, { status: 'fail', message: 'full' }),
    );
  });

  test('other responses are unchanged', async () => {
    expect(await respondWith(busy, undefined)).toBe(busy);
    const bad = respond(400, { code: 'invalid', message: 'line 1' });
    expect(await respondWith(bad, 'the disk is full')).toBe(bad);
  });
});

// Error texts of DuckDB 1.5.
test.each([
  ['Failed to commit: Could not write file "/d/t.duckdb.wal": No space left on device', 'no space left on device'],
  ['IO Error: Could not truncate file "/d/t.duckdb.wal": Disk quota exceeded', 'disk quota exceeded'],
  ['IO Error: Cannot open file "/d/t.duckdb": Permission denied', 'permission denied'],
  ['IO Error: Cannot open file "/d/t.duckdb": Read-only file system', 'read-only file system'],
  ['IO Error: Could not write file "/d/t.duckdb"', 'the file cannot be written'],
  ['Catalog Error: Table with name x does not exist!', undefined],
  ['IO Error: Could not set lock on file "/d/t.duckdb": Conflicting lock is held', undefined],
])('for the error %j the problem of the disk is %j', (message, problem) => {
  expect(storageProblem(new Error(message))).toBe(problem);
});
