/** Makes the line that the local server prints for each request. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { LogFields } from 'shared/logger';

/** The number of points in a write, by outcome. */
interface WriteTotals {
  stored?: number;
  refused?: number;
  unstored?: number;
}

const current = new AsyncLocalStorage<WriteTotals>();

/** Runs `respond`. If it calls `noteWrite`, the numbers are put into `totals`. */
export const countingPoints = <T>(totals: WriteTotals, respond: () => Promise<T>): Promise<T> =>
  current.run(totals, respond);

/** Reads the totals from the log entry `write` of the write function. */
export function noteWrite(fields: LogFields): void {
  const count = (name: string): number => Number(fields[name] ?? 0);
  const totals = {
    stored: count('stored'),
    refused: count('faultyLines') + count('rejectedLines'),
    unstored: count('unstored'),
  };
  Object.assign(current.getStore() ?? {}, totals);
}

/** For example `20:08:30 POST /api/v2/write 400 12 ms, 9 points stored, 1 refused  {"code":...}`, in local time. */
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
