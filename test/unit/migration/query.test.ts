/** Calls of Timestream's Query API: retries, pages, and what errors mean. */
import type { QueryCommandInput, QueryCommandOutput } from '@aws-sdk/client-timestream-query';
import { type QueryCall, QueryTokenError, QueryTooLargeError, run } from 'shared/migration/query';
import { identifier, literal, unload } from 'shared/migration/sql';
import { VirtualClock } from '../../support/virtual-clock';

const page = (change: Partial<QueryCommandOutput>): QueryCommandOutput =>
  ({ QueryId: 'q', Rows: [], ColumnInfo: [], $metadata: {}, ...change }) as QueryCommandOutput;
const row = (...cells: (string | null)[]) => ({
  Data: cells.map((text) => (text === null ? { NullValue: true } : { ScalarValue: text })),
});
const failure = (name: string, message: string, httpStatusCode?: number) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });

/** Plays pages and errors in turn, and records the inputs. */
function scripted(...replies: (QueryCommandOutput | Error)[]) {
  const inputs: QueryCommandInput[] = [];
  const query: QueryCall = (input) => {
    inputs.push(input);
    const reply = replies.shift();
    return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply ?? page({}));
  };
  return { inputs, services: { query, clock: new VirtualClock(), deadline: new AbortController().signal } };
}

test('collects the rows of all pages, with the identical statement and the token of each page', async () => {
  const { inputs, services } = scripted(
    page({ NextToken: 'a', Rows: [] }),
    page({ NextToken: 'b', Rows: [row('1', null)] }),
    page({ Rows: [row('2', 'x')], QueryStatus: { CumulativeBytesScanned: 5, CumulativeBytesMetered: 10_000_000 } }),
  );
  const result = await run({ sql: 'SELECT 1', clientToken: 't' }, services);
  expect(result).toMatchObject({
    rows: [
      ['1', null],
      ['2', 'x'],
    ],
    scannedBytes: 5,
    meteredBytes: 10_000_000,
  });
  expect(inputs).toEqual([
    { QueryString: 'SELECT 1', ClientToken: 't' },
    { QueryString: 'SELECT 1', NextToken: 'a' },
    { QueryString: 'SELECT 1', NextToken: 'b' },
  ]);
});

test('continues a query from its token, and reports each new token before it is used', async () => {
  const { inputs, services } = scripted(page({ NextToken: 'b', QueryStatus: { ProgressPercentage: 40 } }), page({}));
  const seen: unknown[] = [];
  await run({ sql: 'UNLOAD', nextToken: 'a' }, services, (progress) => {
    seen.push([progress, inputs.length]);
    return Promise.resolve();
  });
  expect(inputs[0]).toEqual({ QueryString: 'UNLOAD', NextToken: 'a' });
  expect(seen).toEqual([[{ nextToken: 'b', percent: 40 }, 1]]);
});

test.each([
  ['throttling', failure('ThrottlingException', 'slow down', 400)],
  ['an internal error', failure('InternalServerException', 'oops', 500)],
  ['a lost connection', failure('Error', 'ECONNRESET')],
  ['expired credentials', failure('ExpiredTokenException', 'expired', 403)],
])('repeats the call after %s', async (_, error) => {
  const { inputs, services } = scripted(error, error, page({ Rows: [row('1')] }));
  expect((await run({ sql: 'SELECT 1' }, services)).rows).toEqual([['1']]);
  expect(inputs).toHaveLength(3);
});

test('reports the service as unavailable after its last retry', async () => {
  const { services } = scripted(...Array.from({ length: 20 }, () => failure('ThrottlingException', 'slow down', 400)));
  await expect(run({ sql: 'SELECT 1' }, services)).rejects.toMatchObject({ name: 'TimestreamUnavailableError' });
});

test.each([
  ['QueryExecutionException', 'Query computation exceeds maximum available memory', QueryTooLargeError],
  ['ValidationException', 'Query timed out after 60 minutes', QueryTooLargeError],
  ['ValidationException', 'The NextToken is not valid for this query, or has expired.', QueryTokenError],
])('%s: %s is a %p', async (name, message, type) => {
  const { services } = scripted(failure(name, message, 400));
  await expect(run({ sql: 'UNLOAD', nextToken: 'a' }, services)).rejects.toBeInstanceOf(type);
});

test('a refused query is not repeated, and its message names the reason', async () => {
  const { inputs, services } = scripted(failure('AccessDeniedException', 'no permission', 403));
  await expect(run({ sql: 'SELECT 1' }, services)).rejects.toMatchObject({
    name: 'TimestreamQueryError',
    message: expect.stringContaining('AccessDeniedException: no permission'),
  });
  expect(inputs).toHaveLength(1);
});

test('quotes identifiers and literals, and exports a half-open window in ns', () => {
  expect(identifier('a"b')).toBe('"a""b"');
  expect(literal("it's")).toBe("'it''s'");
  expect(unload('my db', 't.1', { from: '-5', to: '1700000000000000001' }, 's3://b/f/')).toBe(
    'UNLOAD (SELECT * FROM "my db"."t.1" WHERE time >= from_nanoseconds(-5) AND time < from_nanoseconds(1700000000000000001)) ' +
      "TO 's3://b/f/' WITH (format = 'PARQUET', compression = 'GZIP')",
  );
});
