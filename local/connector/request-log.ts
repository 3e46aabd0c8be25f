/** The line that the local server prints for each request. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { LogFields } from 'shared/logger';

/** Points of a write, by what became of them. */
interface WriteTotals {
  stored?: number;
  refused?: number;
  unstored?: number;
}

const current = new AsyncLocalStorage<WriteTotals>();

/** Runs `respond`, which may call `noteWrite`; the totals are noted in `totals`. */
export const countingPoints = <T>(totals: WriteTotals, respond: () => Promise<T>): Promise<T> =>
  current.run(totals, respond);

/** Takes the fields of the entry `write` that the write function logs. */
export function noteWrite(fields: LogFields): void {
  const count = (name: string): number => Number(fields[name] ?? 0);
  const totals = {
    stored: count('stored'),
    refused: count('faultyLines') + count('rejectedLines'),
    unstored: count('unstored'),
  };
  Object.assign(current.getStore() ?? {}, totals);
}

/** `20:08:30 POST /api/v2/write 400 12 ms, 9 points stored, 1 refused  {"code":...}`; local time of day. */
export function requestLine(
  request: string,
  status: number,
  milliseconds: number,
  { stored, refused, unstored }: WriteTotals,
  reason: string,
): string {
  const time = new Date().toTimeString().slice(0, 8);
  const points = stored === undefined ? '' : `, ${stored} ${stored === 1 ? 'point' : 'points'} stored`;
  const others = `${refused ? `, ${refused} refused` : ''}${unstored ? `, ${unstored} not stored` : ''}`;
  return `${time} ${request} ${status} ${Math.round(milliseconds)} ms${points}${others}${reason && `  ${reason}`}`;
}
