/**
 * A client with Telegraf's rules, and the checks after it has delivered through faults: acknowledged lines are stored, dropped lines are
 * bad, and the client kept all others until they were stored.
 * Source: plugins/outputs/influxdb_v2/http.go of Telegraf.
 */
import type { Connector } from '../contract/connector/harness';

/** Sends a write and returns the response; undefined if there was none. */
export type Send = (body: string) => Promise<{ readonly status: number; readonly message: string } | undefined>;

export interface Delivery {
  readonly statuses: (number | undefined)[];
  /** Lines of batches with a success response. */
  readonly acknowledged: string[];
  /** Lines of batches that the response called bad, with its message. */
  readonly dropped: { readonly lines: readonly string[]; readonly message: string }[];
  /** Lines that the client still keeps when it stops retrying. */
  readonly kept: string[];
}

/** Sends to a connector; a failed connection counts as no response. */
export const sendTo =
  (connector: Pick<Connector, 'write'>): Send =>
  async (body) => {
    const response = await connector.write(body).catch(() => undefined);
    return response && { status: response.status, message: await response.text() };
  };

/** Sends the lines in batches, each until it is acknowledged or refused, at most `maxTries` times. */
export async function deliver(
  lines: readonly string[],
  send: Send,
  { batchSize = 500, maxTries = 50 } = {},
): Promise<Delivery> {
  const delivery: Delivery = { statuses: [], acknowledged: [], dropped: [], kept: [] };
  const batches: (readonly string[])[] = [];
  for (let at = 0; at < lines.length; at += batchSize) batches.push(lines.slice(at, at + batchSize));
  let tries = 0;
  for (let batch = batches.shift(); batch !== undefined; ) {
    const response = await send(batch.join('\n'));
    delivery.statuses.push(response?.status);
    const verdict = verdictOn(response?.status);
    if (verdict === 'keep' && ++tries < maxTries) continue;
    if (verdict === 'stored') delivery.acknowledged.push(...batch);
    else if (verdict === 'drop') delivery.dropped.push({ lines: batch, message: response?.message ?? '' });
    else if (verdict === 'split' && batch.length > 1) {
      const middle = batch.length >> 1;
      batches.unshift(batch.slice(0, middle), batch.slice(middle));
    } else delivery.kept.push(...batch);
    batch = batches.shift();
    tries = 0;
  }
  return delivery;
}

function verdictOn(status: number | undefined): 'stored' | 'keep' | 'split' | 'drop' {
  if (status === undefined || status === 429 || status === 401 || status === 403 || status >= 500) return 'keep';
  if (status === 413) return 'split';
  return status >= 200 && status <= 208 ? 'stored' : 'drop';
}

/**
 * Checks for every fault: acknowledged lines are stored once. A batch is dropped only for its bad lines; the message names their
 * positions, and the other lines are stored. Only sent lines are stored. No line is kept, unless the fault is permanent (`stays`).
 * @param stored the stored lines, one for each record
 */
export function expectNothingLost(
  { acknowledged, dropped, kept }: Delivery,
  stored: readonly string[],
  { bad = [], stays = false }: { bad?: readonly string[]; stays?: boolean } = {},
): void {
  const found = new Set(stored);
  const isBad = new Set(bad);
  expect(stored).toHaveLength(found.size);
  expect(acknowledged.filter((line) => !found.has(line) || isBad.has(line))).toEqual([]);
  for (const { lines, message } of dropped) {
    expect(lines.filter((line) => !isBad.has(line) && !found.has(line))).toEqual([]);
    const named = [...message.matchAll(/line (\d+):/g)].map(([, place]) => lines[Number(place) - 1]);
    expect(named).not.toEqual([]);
    expect(named.sort()).toEqual(lines.filter((line) => isBad.has(line)).sort());
  }
  const sent = new Set([...acknowledged, ...dropped.flatMap(({ lines }) => lines), ...kept]);
  expect(stored.filter((line) => !sent.has(line))).toEqual([]);
  if (!stays) expect(kept).toEqual([]);
}
