/** The write API of InfluxDB 3: its path, and its responses about invalid lines. */
import { splitLines } from './lines';
import { httpOutcome, messageOf, parseObject, type Rejection, type WriteOutcome } from './outcome';
import type { Protocol } from './protocol';

/** Source: the reference of InfluxDB 3 Core and Enterprise, `POST /api/v3/write_lp`, "Partial writes", and the responses of 3.7 Core. */
export const protocolV3: Protocol = {
  writePath: ({ bucket }, unit) =>
    `/api/v3/write_lp?${new URLSearchParams({ db: bucket, precision: PRECISIONS[unit], accept_partial: 'true' })}`,
  authorization: (token) => `Bearer ${token}`,
  outcome(exchange, lines): WriteOutcome {
    const outcome = httpOutcome(exchange);
    if (exchange.kind === 'no-response' || outcome.kind !== 'fatal') return outcome;
    const { data } = parseObject(exchange.body);
    // With accept_partial, an array lists the rejected lines, and all others are stored. An object means that the whole body was rejected.
    if (exchange.status === 400 && Array.isArray(data) && data.length > 0) {
      return { kind: 'rejected', rejections: rejectionsOf(data, lines) };
    }
    return isAboutDatabase(exchange.body) ? { ...outcome, scope: 'load' } : outcome;
  },
};

const PRECISIONS = { ns: 'nanosecond', us: 'microsecond', ms: 'millisecond', s: 'second' } as const;

/**
 * Whether an error (400, 422) is about the database, and so applies to every batch: its name ("db name ...", "... in database or rp
 * name"), or the limit of databases ("Adding a new database would exceed limit of 5 databases").
 */
function isAboutDatabase(body: string): boolean {
  return /\bdb name\b|\bdatabase (or rp )?name\b|\badding a new database\b/i.test(messageOf(body));
}

/** Lines are found by their numbers, because `original_line` lacks the quotes of the line. */
function rejectionsOf(entries: readonly unknown[], bytes: Uint8Array): Rejection[] {
  const lines = splitLines(bytes);
  return entries.map((entry) => {
    const {
      line_number: number,
      error_message: message,
      original_line: original,
    } = Object(entry) as Record<string, unknown>;
    const index = Number(number) - 1;
    const line = lines[index];
    const reason = typeof message === 'string' ? message : 'no reason given';
    return line === undefined
      ? { reason, lines: 1, example: String(original) }
      : { reason, lines: 1, example: Buffer.from(line).toString('utf8'), index };
  });
}
