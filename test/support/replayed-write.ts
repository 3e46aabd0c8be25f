/** An asynchronous write of 1,000 points, 500 of them without a timestamp, and its rows. */

/** 2024-03-01T12:00:00Z, in ms. */
export const POINT_TIME = 1_709_294_400_000;
/** When the write was requested, in ms. */
export const REQUESTED = POINT_TIME + 60_000;

export const LINES = Array.from(
  { length: 1_000 },
  (_, n) => `replayed,host=h${n} v=${n}i${n < 500 ? ` ${POINT_TIME}` : ''}`,
);

/** The event of a write; timestamps are in ms. */
export const handedOver = (lines: readonly string[], requestTimeEpoch: number) => ({
  asynchronous: true,
  httpMethod: 'POST',
  path: '/api/v2/write',
  headers: {},
  queryStringParameters: { precision: 'ms' },
  body: lines.join('\n'),
  isBase64Encoded: false,
  requestContext: { requestTimeEpoch, requestId: `request-${requestTimeEpoch}` },
});

/** The columns to select for the rows in `rowsOfLines`. */
export const COLUMNS = 'host, v, to_milliseconds(time)';

/** The rows of the lines, in order, with some values changed. */
export const rowsOfLines = (changed: Readonly<Record<number, number>> = {}): string[] =>
  LINES.map((_, n) => `h${n},${changed[n] ?? n},${n < 500 ? POINT_TIME : REQUESTED}`).sort();
