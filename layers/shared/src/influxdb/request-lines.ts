/** Reads the lines of a write request and makes batches of the valid ones for InfluxDB: their own bytes, wherever these can stay. */
import { BACKSLASH, RETURN, SPACE } from '../line-protocol/bytes';
import { END, ERROR, LineDecoder, type Reading, TOKEN } from '../line-protocol/decoder';
import type { Precision } from '../line-protocol/precision';
import { type LinePlace, type LineReport, lineTooLong } from '../line-report';
import type { WritePrecision } from './protocol';

export interface RequestLinesOptions {
  readonly precision: Precision;
  /** Time of points without a timestamp, ms since 1970; truncated to the precision. */
  readonly requestTime: number;
  /** Maximum bytes of a line. */
  readonly maxLineBytes: number;
  /** Maximum lines of a batch. */
  readonly batchLines: number;
  /** Maximum bytes of a batch; one line may exceed it. */
  readonly batchBytes: number;
  /** Positions of lines to leave out: each the start of a line in the body. */
  readonly leftOut?: ReadonlySet<number>;
}

/** Lines for one call. Line n is `bytes[ends[n - 1], ends[n])`, and has the place `places[n]` in the request. */
export interface RequestBatch {
  readonly bytes: Uint8Array;
  readonly ends: readonly number[];
  readonly places: readonly LinePlace[];
}

/** The precision of the timestamps in the batches. InfluxDB has no minutes and hours, so these are written as seconds. */
export const writtenPrecision = ({ fractionDigits }: Precision): WritePrecision => UNITS[fractionDigits];

const UNITS = { 0: 's', 3: 'ms', 6: 'us', 9: 'ns' } as const;

/**
 * Decodes `body`. Invalid lines and lines above `maxLineBytes` go to `report`; the others are in the batches, in their order.
 * A line without a timestamp gets the time of the request.
 */
export function batchLines(body: Uint8Array, options: RequestLinesOptions, report: LineReport): RequestBatch[] {
  const { precision, maxLineBytes, leftOut } = options;
  const decoder = new LineDecoder(body);
  const batches = new Batches(body, options);
  let endsInBackslash = false;
  const readFields = (): Reading => {
    endsInBackslash = false;
    let reading = decoder.readField();
    for (; reading === TOKEN; reading = decoder.readField()) endsInBackslash ||= body[decoder.keyEnd - 1] === BACKSLASH;
    return reading;
  };
  while (decoder.nextLine()) {
    const fields = readSeries(decoder) === ERROR ? ERROR : readFields();
    const timeStart = decoder.nextToken;
    const time = fields === ERROR ? ERROR : decoder.readTime(precision);
    if (time === ERROR) {
      report.faulty(decoder);
      continue;
    }
    const place = { line: decoder.line, start: decoder.lineStart, end: decoder.nextToken };
    if (leftOut?.has(place.start)) continue;
    if (decoder.lineBytes > maxLineBytes) report.rejected(place, lineTooLong(decoder.lineBytes, maxLineBytes));
    else if (endsInBackslash) report.rejected(place, BACKSLASH_IN_KEY);
    else {
      const lineEnd = place.start + decoder.lineBytes;
      if (time === END) batches.addText(place, lineEnd, ` ${batches.requestTime}\n`);
      else if (precision.secondsPerUnit !== 1) batches.addText(place, timeStart, ` ${decoder.seconds}\n`);
      // InfluxDB 2 refuses a line that ends with CR.
      else if (body[lineEnd] === RETURN) batches.addText(place, lineEnd, '\n');
      else batches.add(place);
    }
  }
  return batches.finish();
}

function readSeries(decoder: LineDecoder): Reading {
  if (decoder.readMeasurement() === ERROR) return ERROR;
  let reading: Reading;
  do reading = decoder.readTag();
  while (reading === TOKEN);
  return reading;
}

class Batches {
  /** The time of the request in the written precision. */
  readonly requestTime: string;
  private readonly batches: RequestBatch[] = [];
  private parts: Uint8Array[] = [];
  private places: LinePlace[] = [];
  private ends: number[] = [];
  private bytes = 0;
  /** `body[from, to)` are lines that follow each other, the last part of the batch. */
  private from = 0;
  private to = 0;

  constructor(
    private readonly body: Uint8Array,
    private readonly options: RequestLinesOptions,
  ) {
    const { precision, requestTime } = options;
    const seconds = Math.floor(requestTime / 1000);
    const { fractionDigits, secondsPerUnit } = precision;
    const nanoseconds = BigInt(requestTime) * 1_000_000n;
    this.requestTime = String(
      fractionDigits === 0 ? seconds - (seconds % secondsPerUnit) : nanoseconds / 10n ** BigInt(9 - fractionDigits),
    );
  }

  /** Adds a line as it is. */
  add(place: LinePlace): void {
    const { start, end } = place;
    this.makeRoom(end - start);
    if (start !== this.to) {
      this.closePart();
      this.from = start;
    }
    this.to = end;
    this.note(place, end - start);
  }

  /** Adds a line with another end. @param textEnd end of the part that stays as it is, or of the spaces after it */
  addText(place: LinePlace, textEnd: number, tail: string): void {
    let end = textEnd;
    while (this.body[end - 1] === SPACE) end--;
    const text = Buffer.concat([this.body.subarray(place.start, end), Buffer.from(tail)]);
    this.makeRoom(text.length);
    this.closePart();
    this.parts.push(text);
    this.note(place, text.length);
  }

  private note(place: LinePlace, bytes: number): void {
    this.bytes += bytes;
    this.ends.push(this.bytes);
    this.places.push(place);
  }

  finish(): RequestBatch[] {
    this.closeBatch();
    return this.batches;
  }

  private makeRoom(bytes: number): void {
    const { batchLines: lines, batchBytes } = this.options;
    const isFull = this.places.length >= lines || this.bytes + bytes > batchBytes;
    if (isFull && this.places.length > 0) this.closeBatch();
  }

  private closePart(): void {
    if (this.to > this.from) this.parts.push(this.body.subarray(this.from, this.to));
    this.from = this.to;
  }

  private closeBatch(): void {
    this.closePart();
    const { parts, places, ends } = this;
    const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    if (places.length > 0) this.batches.push({ bytes, ends, places });
    this.parts = [];
    this.places = [];
    this.ends = [];
    this.bytes = 0;
  }
}

/** InfluxDB 2.7.12 reads the equals sign as a part of the key. With an equals sign in a string after it, it returns 500 or ends. */
const BACKSLASH_IN_KEY = 'a field key ends in a backslash, which InfluxDB cannot store';
