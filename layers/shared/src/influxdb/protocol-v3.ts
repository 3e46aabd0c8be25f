/** The write API of InfluxDB 3: where it is, and what it says about lines. */
import { httpOutcome, parseObject, type Rejection, type WriteOutcome } from './outcome';
import type { Protocol } from './protocol';

/** Source: the reference of InfluxDB 3 Core and Enterprise, `POST /api/v3/write_lp`, "Partial writes". */
export const protocolV3: Protocol = {
  writePath: ({ bucket }) =>
    `/api/v3/write_lp?${new URLSearchParams({ db: bucket, precision: 'nanosecond', accept_partial: 'true' })}`,
  authorization: (token) => `Bearer ${token}`,
  outcome(exchange): WriteOutcome {
    const outcome = httpOutcome(exchange);
    if (exchange.kind === 'no-reply' || exchange.status !== 400) return outcome;
    const { data } = parseObject(exchange.body);
    // With accept_partial the refused lines are listed, and all others are stored; an object there is of a refused whole.
    if (!Array.isArray(data) || data.length === 0) return outcome;
    return { kind: 'rejected', rejections: data.map(rejection) };
  },
};

function rejection(entry: unknown): Rejection {
  const { line_number, error_message, original_line } = Object(entry) as Record<string, unknown>;
  const reason = typeof error_message === 'string' ? error_message : 'no reason given';
  return { reason, lines: 1, example: `line ${line_number}: ${original_line}` };
}
