/** What the write function reports about a request, for the line that the local server prints and for the console. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { DestinationName } from 'shared/destination-config';
import { NEWLINE } from 'shared/line-protocol/bytes';
import type { LineReport, ListedReason } from 'shared/line-report';
import type { RequestResult } from '../../functions/write-line-protocol/destination';
import type { RefusedLine } from '../console/recorder';

/** A write, as far as it was carried out. */
export interface WriteNote {
  /** Of the body, decompressed. */
  bytes?: number;
  /** With empty lines and comments. */
  lines?: number;
  /** Points. */
  stored?: number;
  unstored?: number;
  /** Of the stored points: those in InfluxDB only. */
  influxdbOnly?: number;
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
export function noteWrite(
  { results, stored, unstored, faultyLines, rejectedLines, influxdbOnlyLines }: RequestResult,
  reports: readonly LineReport[],
  body: Buffer,
): void {
  const note = current.getStore();
  if (note === undefined) return;
  note.bytes = body.length;
  note.lines = linesOf(body);
  note.influxdbOnly = Math.min(influxdbOnlyLines, results.at(-1)?.stored ?? 0);
  note.stored = stored + note.influxdbOnly;
  note.unstored = unstored;
  note.faultyLines = faultyLines;
  note.rejectedLines = rejectedLines;
  const refused = reports.flatMap((report, index) => {
    const { destination } = results[index] ?? {};
    return report.reasons().map((found) => refusedLine(found, body, reports.length > 1 ? destination : undefined));
  });
  note.refused = refused.sort((a, b) => a.line - b.line).slice(0, MAX_LINES);
}

/** @param destination that refuses the line, if there are several */
function refusedLine(
  { line, among, reason, kind, start, end }: ListedReason,
  body: Buffer,
  destination: DestinationName | undefined,
): RefusedLine {
  return {
    line,
    reason: copyOf(reason),
    // InfluxDB may say how many lines it refuses, but not which.
    text: among === undefined ? lineText(body, start, end) : '',
    ...(destination !== undefined && kind !== 'faulty' && { destination }),
  };
}

/** The same text. A part of a text keeps the whole one in memory, such as a name of 60 KB of which a reason quotes the beginning. */
export const copyOf = (text: string): string => Buffer.from(text).toString();

/** The number of lines, with empty lines and comments. */
function linesOf(body: Buffer): number {
  let lines = 0;
  for (let at = 0; at < body.length; lines++) {
    const end = body.indexOf(NEWLINE, at);
    at = end === -1 ? body.length : end + 1;
  }
  return lines;
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
  { stored, influxdbOnly, faultyLines = 0, rejectedLines = 0, unstored }: WriteNote,
  reason: string,
): string {
  const time = new Date().toTimeString().slice(0, 8);
  const refused = faultyLines + rejectedLines;
  const points = stored === undefined ? '' : `, ${stored} ${stored === 1 ? 'point' : 'points'} stored`;
  const only = influxdbOnly ? ` (InfluxDB only: ${influxdbOnly})` : '';
  const others = `${refused ? `, ${refused} refused` : ''}${unstored ? `, ${unstored} not stored` : ''}`;
  return `${time} ${request} ${status} ${Math.round(milliseconds)} ms${points}${only}${others}${reason && `  ${reason}`}`;
}
