/** The write API of InfluxDB 2: its path, and its responses about invalid lines. */
import { joinLines, splitLines } from './lines';
import { httpOutcome, parseObject, type Rejection, type WriteOutcome } from './outcome';
import type { Protocol } from './protocol';
import type { Exchange } from './transport';

/** Source: the API reference of InfluxDB OSS 2.7, `POST /api/v2/write`, and the responses of 2.7.12. */
export const protocolV2: Protocol = {
  writePath: ({ org, bucket }, precision) => `/api/v2/write?${new URLSearchParams({ org, bucket, precision })}`,
  authorization: (token) => `Token ${token}`,
  outcome(exchange, lines): WriteOutcome {
    const outcome = httpOutcome(exchange);
    if (exchange.kind === 'no-response' || outcome.kind !== 'fatal') return outcome;
    if (exchange.status === 404) return { ...outcome, missing: missingIn(exchange.body) };
    return partialWrite(exchange) ?? unparsable(exchange, lines) ?? outcome;
  },
};

/** `organization name "..." not found`, `bucket "..." not found`, or the same without a name, with 404. */
function missingIn(body: string): 'org' | 'bucket' | undefined {
  const message = String(parseObject(body).message ?? '');
  if (/^organization\b.* not found$/s.test(message)) return 'org';
  return /^bucket\b.* not found$/s.test(message) ? 'bucket' : undefined;
}

/** `... partial write: <reason> dropped=N`, with 422: InfluxDB rejected N points and stored all others. */
function partialWrite(exchange: Exchange & { kind: 'response' }): WriteOutcome | undefined {
  const message = String(parseObject(exchange.body).message ?? '');
  const [, text, dropped] = /partial write: (.*) dropped=(\d+)/s.exec(message) ?? [];
  if (text === undefined) return undefined;
  const reason = /^dropped \d+ (points outside retention policy of duration \S+)/.exec(text)?.[1] ?? text;
  return { kind: 'rejected', rejections: [{ reason, lines: Number(dropped), example: message }] };
}

/**
 * `unable to parse '<line>': <why>` for each invalid line, with 400: nothing is stored, so the other lines must be sent again.
 * Lines may contain quotes and newlines, as the message does. So a line is found by comparing the text with the lines of the batch.
 */
function unparsable(exchange: Exchange & { kind: 'response' }, bytes: Uint8Array): WriteOutcome | undefined {
  const message = String(parseObject(exchange.body).message ?? '');
  if (!message.startsWith(UNPARSABLE)) return undefined;
  const lines = splitLines(bytes);
  const texts = lines.map((line) => Buffer.from(line).toString('utf8').trim());
  const known = new Set(texts);
  const reasons = new Map<string, string>();
  for (const entry of message.slice(UNPARSABLE.length).split(`\n${UNPARSABLE}`)) {
    let end = entry.lastIndexOf("': ");
    while (end > 0 && !known.has(entry.slice(0, end).trim())) end = entry.lastIndexOf("': ", end - 1);
    if (end > 0) reasons.set(entry.slice(0, end).trim(), entry.slice(end + 3));
  }
  const rejections: Rejection[] = [];
  const good = lines.filter((_, index) => {
    const example = texts[index] ?? '';
    const reason = reasons.get(example);
    if (reason !== undefined) {
      rejections.push({ reason: `unable to parse: ${reason}`, lines: 1, example, index, isUnparsable: true });
    }
    return reason === undefined;
  });
  return rejections.length === 0 ? undefined : { kind: 'rejected', rejections, remainder: joinLines(good) };
}

const UNPARSABLE = "unable to parse '";
