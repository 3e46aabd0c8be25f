/** What the write function reports about a request, for the line that the local server prints and for the console. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestResult } from '../../functions/write-line-protocol/write';
import type { RefusedLine } from '../console/recorder';

/** A write, as far as it was carried out. */
export interface WriteNote {
  /** Of the body, decompressed. */
  bytes?: number;
  /** Lines with a point, and invalid lines. */
  lines?: number;
  /** Points. */
  stored?: number;
  unstored?: number;
  faultyLines?: number;
  rejectedLines?: number;
  /** The first faulty and rejected lines. */
  refused?: readonly RefusedLine[];
}

/** Maximum number of refused lines that are noted. */
const MAX_LINES = 20;
/** Maximum bytes of a line that are noted. */
const MAX_TEXT = 500;

const current = new AsyncLocalStorage<WriteNote>();

/** Runs `respond`. If it calls `noteWrite`, the facts are put into `note`. */
export const noting = <T>(note: WriteNote, respond: () => Promise<T>): Promise<T> => current.run(note, respond);

/** Notes what became of a write. The body is the decompressed one; only texts of refused lines are copied from it. */
export function noteWrite({ lines, outcome, report }: RequestResult, body: Buffer): void {
  const note = current.getStore();
  if (note === undefined) return;
  const { stored, unstored } = outcome;
  const { faultyLines, rejectedLines } = report;
  Object.assign(note, { bytes: body.length, lines, stored, unstored, faultyLines, rejectedLines });
  if (faultyLines + rejectedLines === 0) return;
  note.refused = report
    .reasons()
    .slice(0, MAX_LINES)
    .map(({ line, reason, start, end }) => ({ line, reason, text: lineText(body, start, end) }));
}

function lineText(body: Buffer, start: number, end: number): string {
  const text = body.toString('utf8', start, Math.min(end, start + MAX_TEXT)).replace(/\r?\n$/, '');
  return end - start > MAX_TEXT ? `${text}...` : text;
}

/** For example `20:08:30 POST /api/v2/write 400 12 ms, 9 points stored, 1 refused  {"code":...}`, in local time. */
export function requestLine(
  request: string,
  status: number,
  milliseconds: number,
  { stored, faultyLines = 0, rejectedLines = 0, unstored }: WriteNote,
  reason: string,
): string {
  const time = new Date().toTimeString().slice(0, 8);
  const refused = faultyLines + rejectedLines;
  const points = stored === undefined ? '' : `, ${stored} ${stored === 1 ? 'point' : 'points'} stored`;
  const others = `${refused ? `, ${refused} refused` : ''}${unstored ? `, ${unstored} not stored` : ''}`;
  return `${time} ${request} ${status} ${Math.round(milliseconds)} ms${points}${others}${reason && `  ${reason}`}`;
}
