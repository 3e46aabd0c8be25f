/**
 * Reads line protocol line by line and token by token. Tokens are positions in the input, so nothing is copied.
 *
 * The grammar is that of InfluxDB 2.x, as the official corpus and github.com/influxdata/line-protocol (v2) define it. Callers
 * follow the order of a line: `nextLine`, `readMeasurement`, `readTag`..., `readField`..., `readTime`. Each method reads one token
 * into the properties of the decoder. An invalid token sets `error`; the next call of `nextLine` skips the rest of the line.
 *
 * A line may contain line breaks: inside a string, and after a backslash in a tag value (as in InfluxDB 2.7). The decoder never
 * reads the text after such a line break as a separate line, even if the line is invalid.
 */
import { isUtf8 } from 'node:buffer';
import { HASH_BASIS, hashRest, hashWord } from './byte-map';
import {
  BACKSLASH,
  CLASS,
  COMMA,
  DOT,
  ENDS_COMMENT,
  ENDS_KEY,
  ENDS_MEASUREMENT,
  ENDS_TAG_VALUE,
  ENDS_VALUE,
  EQUALS,
  escapesInKey,
  escapesInMeasurement,
  HASH,
  MINUS,
  NEWLINE,
  NINE,
  QUOTE,
  RETURN,
  SPACE,
  ZERO,
} from './bytes';
import { floatForm, INVALID, integerForm, isBoolean, JSON_NUMBER, unsignedForm } from './number-syntax';
import type { Precision } from './precision';
import { LITTLE_ENDIAN, sameBytesWithin, viewOf, type Words } from './words';

/** Result of reading a token. */
export const END = 0;
export const TOKEN = 1;
export const ERROR = 2;
export type Reading = typeof END | typeof TOKEN | typeof ERROR;

/** The type of a field value. */
export const FLOAT = 0;
export const INTEGER = 1;
export const UNSIGNED = 2;
export const BOOLEAN = 3;
export const STRING = 4;
export type FieldKind = typeof FLOAT | typeof INTEGER | typeof UNSIGNED | typeof BOOLEAN | typeof STRING;

const NUMBER_NAMES = ['number', 'integer (64 bit, suffix i)', 'unsigned integer (64 bit, suffix u)'] as const;

/** Range of a time in ns since 1970, as a signed 64-bit number: whole seconds, and the remaining ns. */
const MAX_SECONDS = 9_223_372_036;
const MAX_NANOS = 854_775_807;
const MIN_SECONDS = -9_223_372_037;
const MIN_NANOS = 145_224_192;

/** After this many lines with a string without a closing quote, strings of invalid lines end with their line: see `findLineEnd`. */
const MAX_OPEN_STRINGS = 8;

/** A float with more digits is read by `readNumber`, which checks its range and its length. */
const MAX_USUAL_DIGITS = 100;

const AT_MEASUREMENT = 0;
const AT_TAGS = 1;
const AT_FIELDS = 2;
const AT_TIME = 3;
const AT_LINE_END = 4;

export class LineDecoder {
  /** Number of the current line, from 1. Newlines inside strings and tag values count. */
  line = 0;
  /** Start of the current line, after its indentation. */
  lineStart = 0;
  /** The last token. Measurements and keys are still escaped; the value of a string excludes its quotes. */
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  kind: FieldKind = FLOAT;
  /**
   * Whether the text of the value can stand in JSON as it is: a number that JSON allows, or a string in which each backslash escapes a
   * quote or a backslash, as in JSON, and that has no control character. False for a boolean.
   */
  isJsonText = false;
  /** Number of escapes in the last string: backslashes before a quote or a backslash. */
  escapes = 0;
  /** `hashBytes` of measurement and tags; set by `findSeriesEnd`. */
  seriesHash = 0;
  /** The time of the line: seconds since 1970, and 0..999,999,999 ns after that second. */
  seconds = 0;
  nanos = 0;
  /** Why the current line is invalid, and at which byte; undefined while no error was found. */
  error: string | undefined;
  errorAt = 0;

  /** `bytes`, to read by word. */
  readonly view: DataView;
  private readonly end: number;
  private readonly checkUtf8: boolean;
  private position = 0;
  private section = AT_LINE_END;
  /** Newlines since `line` was updated: those inside strings and tag values, and the one that ended the line. */
  private newlines = 1;
  /** Whether a tag value with a newline has been read. */
  private hasNewlinesInTags = false;
  /** How often the end of a string was searched for up to the end of the input, and not found. */
  private openStrings = 0;

  /** @param bytes line protocol with LF or CRLF; any bytes are safe */
  constructor(readonly bytes: Uint8Array) {
    this.view = viewOf(bytes);
    this.end = bytes.length;
    this.checkUtf8 = !isUtf8(bytes);
  }

  /** Moves to the next line that is neither blank nor a comment; false at the end of the input. Skips the rest of the current line. */
  nextLine(): boolean {
    this.endLine();
    this.error = undefined;
    this.section = AT_MEASUREMENT;
    const { bytes, end } = this;
    for (;;) {
      let at = this.position;
      while (at < end && bytes[at] === SPACE) at++;
      this.lineStart = at;
      if (at < end && bytes[at] === HASH) {
        const start = at;
        while (at < end && (CLASS[bytes[at]] & ENDS_COMMENT) === 0) at++;
        this.position = at;
        if (!this.takeLineEnd()) {
          this.startLine();
          this.position = start;
          return true;
        }
      } else {
        this.position = at;
        if (at >= end) return false;
        if ((bytes[at] !== NEWLINE && bytes[at] !== RETURN) || !this.takeLineEnd()) {
          this.startLine();
          return true;
        }
      }
    }
  }

  /** Reads the measurement into `keyStart..keyEnd`. */
  readMeasurement(): Reading {
    const start = this.position;
    const { bytes, end } = this;
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === BACKSLASH) {
        if (at + 1 < end && escapesInMeasurement(bytes[at + 1])) at++;
      } else if ((CLASS[byte] & ENDS_MEASUREMENT) !== 0) break;
    }
    this.position = at;
    if (bytes[start] === HASH) return this.fail('control character in a comment', at);
    if (at < end && bytes[at] !== COMMA && bytes[at] !== SPACE && this.isControl(at)) {
      return this.fail('control character in the measurement', at);
    }
    if (at === start) return this.fail('expected a measurement', at);
    if (!this.isText(start, at)) return this.fail('invalid UTF-8 in the measurement', start);
    this.keyStart = start;
    this.keyEnd = at;
    this.section = AT_TAGS;
    return this.takeTagComma() ? TOKEN : ERROR;
  }

  /** Reads a tag into `keyStart..keyEnd` and `valueStart..valueEnd`; END if the fields begin here. */
  readTag(): Reading {
    const { bytes, end } = this;
    if (this.position < end && bytes[this.position] === SPACE) {
      this.beginFields(this.position);
      return END;
    }
    const start = this.position;
    const keyEnd = this.skipKey(ENDS_KEY);
    if (!this.isText(start, keyEnd)) return this.fail('invalid UTF-8 in a tag key', start);
    if (keyEnd === start || keyEnd >= end || bytes[keyEnd] !== EQUALS) return this.failTagKey(start, keyEnd);
    this.keyStart = start;
    this.keyEnd = keyEnd;
    this.position = keyEnd + 1;
    this.valueStart = this.position;
    this.valueEnd = this.skipKey(ENDS_TAG_VALUE);
    if (this.valueEnd === this.valueStart) return this.fail('expected a tag value after the tag key', this.valueStart);
    if (!this.isText(this.valueStart, this.valueEnd)) return this.fail('invalid UTF-8 in a tag value', this.valueStart);
    return this.takeTagComma() ? TOKEN : ERROR;
  }

  /**
   * Finds the end of measurement and tags without parsing them, and hashes their bytes into `seriesHash`. If the caller has read
   * a line with the same bytes before, it passes the returned position to `beginFields`.
   */
  findSeriesEnd(): number {
    const { end, view } = this;
    let hash = HASH_BASIS;
    let at = this.position;
    for (; at + 4 <= end; at += 4) {
      const word = view.getInt32(at, LITTLE_ENDIAN);
      // The highest bit of each byte up to 0x20, and perhaps of bytes after it.
      if (((word - 0x21212121) & ~word & 0x80808080) !== 0 && this.hasSeriesEnd(at, at + 4)) break;
      hash = hashWord(hash, word);
    }
    const rest = at;
    while (at < end && !this.isSeriesEnd(at)) at++;
    this.seriesHash = hashRest(hash, view, rest, at);
    return at;
  }

  private hasSeriesEnd(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (this.isSeriesEnd(at)) return true;
    return false;
  }

  /** Whether measurement and tags end at this byte: at the end of the line, or at a space without a backslash before it. */
  private isSeriesEnd(at: number): boolean {
    const byte = this.bytes[at];
    return byte <= SPACE && (byte < SPACE ? this.endsLine(at) : this.bytes[at - 1] !== BACKSLASH);
  }

  /** Moves to the fields if measurement and tags equal `bytes[start, end)`, those of another line. */
  readSeriesIf(start: number, end: number): boolean {
    const seriesEnd = this.position + (end - start);
    if (seriesEnd >= this.end || this.bytes[seriesEnd] !== SPACE) return false;
    if (!sameBytesWithin(this.view, start, this.position, end - start)) return false;
    this.beginFields(seriesEnd);
    return true;
  }

  /** Moves to the fields. @param seriesEnd end of measurement and tags */
  beginFields(seriesEnd: number): void {
    if (this.hasNewlinesInTags) this.newlines += this.countNewlines(this.lineStart, seriesEnd);
    this.position = seriesEnd;
    this.takeSpaces();
    this.section = AT_FIELDS;
  }

  /** Reads a field into `keyStart..keyEnd`, `kind` and `valueStart..valueEnd`; END after the last field. */
  readField(): Reading {
    if (this.section !== AT_FIELDS) return END;
    const { bytes, end } = this;
    const start = this.position;
    const keyEnd = this.skipKey(ENDS_KEY);
    if (!this.isText(start, keyEnd)) return this.fail('invalid UTF-8 in a field key', start);
    if (keyEnd === start || keyEnd >= end || bytes[keyEnd] !== EQUALS) return this.failFieldKey(start, keyEnd);
    this.keyStart = start;
    this.keyEnd = keyEnd;
    return this.readValue(keyEnd + 1);
  }

  private failTagKey(start: number, keyEnd: number): typeof ERROR {
    const expected = 'no fields: expected a space and a field, found the end of the';
    if (keyEnd >= this.end) return this.fail(`${expected} input`, start);
    if (this.isControl(keyEnd)) return this.fail('control character in a tag key', keyEnd);
    if (keyEnd > start) return this.fail("expected '=' after the tag key", keyEnd);
    return this.fail(this.endsLine(start) ? `${expected} line` : 'expected a tag key or a field', start);
  }

  private failFieldKey(start: number, keyEnd: number): typeof ERROR {
    if (keyEnd < this.end && this.isControl(keyEnd)) return this.fail('control character in a field key', keyEnd);
    if (keyEnd > start) return this.fail("expected '=' after the field key", keyEnd);
    const found = keyEnd >= this.end ? ', found the end of the input' : '';
    return this.fail(`expected a field key${found}`, start);
  }

  /** Reads the next field if its key and equals sign are `expected`. Otherwise, and after the last field, END. */
  readFieldIf(expected: Words): Reading {
    if (this.section !== AT_FIELDS || !expected.standAt(this.view, this.position)) return END;
    return this.readValue(this.position + expected.length);
  }

  /** Start of the next token; after the last token of a line, the start of the next line. */
  get nextToken(): number {
    return this.position;
  }

  private readValue(start: number): Reading {
    const { bytes, end } = this;
    if (start >= end) return this.fail('expected a field value, found the end of the input', start);
    const first = bytes[start];
    if (first === QUOTE) {
      if (!this.readString(start)) return ERROR;
    } else {
      if (this.readUsualNumber(start)) return this.endField() ? TOKEN : ERROR;
      let at = start;
      while (at < end && (CLASS[bytes[at]] & ENDS_VALUE) === 0) at++;
      this.position = at;
      this.valueStart = start;
      this.valueEnd = at;
      if ((first >= ZERO && first <= NINE) || first === MINUS || first === DOT) {
        if (!this.readNumber()) return ERROR;
      } else if (isBoolean(bytes, start, at)) {
        this.kind = BOOLEAN;
        this.isJsonText = false;
      } else {
        return this.fail('the field value is not a number, a boolean or a quoted string', start);
      }
    }
    return this.endField() ? TOKEN : ERROR;
  }

  /**
   * Reads the timestamp into `seconds` and `nanos`, and the end of the line; END if the line has no timestamp.
   * @param precision unit of the timestamp
   */
  readTime(precision: Precision): Reading {
    if (this.section === AT_LINE_END) return END;
    const { bytes, end } = this;
    const start = this.position;
    let at = start;
    if (at < end && bytes[at] === MINUS) at++;
    while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
    const stop = at;
    this.position = at;
    if (at < end && ((CLASS[bytes[at]] & ENDS_VALUE) === 0 || bytes[at] === COMMA)) {
      return this.fail('invalid timestamp', start);
    }
    this.takeSpaces();
    if (!this.takeLineEnd()) return this.fail('unexpected text after the timestamp', this.position);
    this.section = AT_LINE_END;
    if (stop === start) return END;
    if (stop === start + 1 && bytes[start] === MINUS) return this.fail('invalid timestamp', start);
    if (this.parseTime(start, stop, precision)) return TOKEN;
    return this.fail(`timestamp out of range (the precision is ${precision.name})`, start);
  }

  /** Bytes of the current line without its line break, once its tokens are read. */
  get lineBytes(): number {
    const { bytes, lineStart, position } = this;
    const end = position - (bytes[position - 1] === NEWLINE ? 1 : 0);
    return end - lineStart - (bytes[end - 1] === RETURN ? 1 : 0);
  }

  /** Skips the rest of the current line and returns the start of the next line. */
  endLine(): number {
    if (this.section !== AT_LINE_END) {
      this.position = this.findLineEnd();
      this.newlines = this.countNewlines(this.lineStart, this.position);
      this.section = AT_LINE_END;
    }
    return this.position;
  }

  /**
   * Finds the start of the next line after an invalid line. Line breaks after a backslash and inside strings are part of the line;
   * this is the rule of InfluxDB 2.7 (`scanLine` of its models package). A string without a closing quote ends with its line, so
   * that the following lines are not lost. The search for that quote reads all the input, so only the first of such lines search for
   * it; otherwise the time would be quadratic.
   */
  private findLineEnd(): number {
    const { bytes, end, lineStart } = this;
    const isComment = bytes[lineStart] === HASH;
    let inFields = false;
    let quoted = false;
    /** Equals signs minus commas of the fields, outside strings. Above 0 a value is expected, so a quote opens a string. */
    let values = 0;
    let breakInString = -1;
    for (let at = lineStart; at < end; at++) {
      const byte = bytes[at];
      if (byte === NEWLINE) {
        if (at < this.position) continue;
        if (!quoted || this.openStrings >= MAX_OPEN_STRINGS) return at + 1;
        if (breakInString < 0) breakInString = at;
      } else if (isComment) continue;
      else if (byte === BACKSLASH) {
        at++;
        if (bytes[at] === RETURN && bytes[at + 1] === NEWLINE) at++;
      } else if (!inFields) inFields = byte === SPACE;
      else if (byte === QUOTE && (quoted || values > 0)) quoted = !quoted;
      else if (quoted) continue;
      else if (byte === EQUALS) values++;
      else if (byte === COMMA) values--;
    }
    if (!quoted || breakInString < 0) return end;
    this.openStrings++;
    return breakInString + 1;
  }

  private countNewlines(start: number, end: number): number {
    let count = 0;
    for (let at = start; at < end; at++) if (this.bytes[at] === NEWLINE) count++;
    return count;
  }

  /** Reports the last tag or field as invalid, for a reason that the grammar does not cover. */
  rejectToken(reason: string): void {
    this.fail(reason, this.keyStart);
  }

  /** The error and its position for a person: `at line 3:14: expected a field value`. */
  describeError(): string {
    // Inside the line, there may be newlines in a string before the error.
    let line = this.line;
    let lineStart = this.lineStart === 0 ? 0 : this.bytes.lastIndexOf(NEWLINE, this.lineStart - 1) + 1;
    for (let at = this.bytes.indexOf(NEWLINE, this.lineStart); at >= 0 && at < this.errorAt; ) {
      line++;
      lineStart = at + 1;
      at = this.bytes.indexOf(NEWLINE, lineStart);
    }
    return `at line ${line}:${this.errorAt - lineStart + 1}: ${this.error ?? 'no error'}`;
  }

  /** The text of the current line: as far as it was read, or up to the next line if it is invalid. */
  lineText(maxBytes: number): string {
    let stop = this.section === AT_LINE_END ? this.position : this.findLineEnd();
    if (stop > this.lineStart && this.bytes[stop - 1] === NEWLINE) stop--;
    if (stop > this.lineStart && this.bytes[stop - 1] === RETURN) stop--;
    const shown = Math.min(stop, this.lineStart + maxBytes);
    const text = Buffer.from(
      this.bytes.buffer,
      this.bytes.byteOffset + this.lineStart,
      shown - this.lineStart,
    ).toString();
    return shown < stop ? `${text}...` : text;
  }

  private startLine(): void {
    this.line += this.newlines;
    this.newlines = 0;
  }

  /** Consumes LF, CRLF, a CR at the end of the input, or the end of the input; false at any other byte. */
  private takeLineEnd(): boolean {
    const { bytes, end } = this;
    if (this.position >= end) return true;
    if (bytes[this.position] === RETURN) {
      if (this.position + 1 >= end) {
        this.position++;
        return true;
      }
      if (bytes[this.position + 1] !== NEWLINE) return false;
      this.position++;
    } else if (bytes[this.position] !== NEWLINE) return false;
    this.position++;
    this.newlines++;
    return true;
  }

  private takeSpaces(): void {
    while (this.position < this.end && this.bytes[this.position] === SPACE) this.position++;
  }

  /** Consumes the comma before a tag. A comma without a tag after it is an error. */
  private takeTagComma(): boolean {
    const { bytes, end } = this;
    if (this.position >= end || bytes[this.position] !== COMMA) return true;
    this.position++;
    const next = this.position < end ? bytes[this.position] : NEWLINE;
    if (next !== SPACE && next !== NEWLINE && next !== RETURN) return true;
    this.fail('expected a tag key after the comma', this.position);
    return false;
  }

  /** Whether `bytes[at]` is a control character that does not end the line. */
  private isControl(at: number): boolean {
    const byte = this.bytes[at];
    if (byte >= SPACE && byte !== 0x7f) return false;
    return (byte !== NEWLINE && byte !== RETURN) || !this.endsLine(at);
  }

  /** Whether the line ends at this control character: at CRLF, a CR at the end of the input, or an LF without a backslash before it. */
  private endsLine(at: number): boolean {
    const { bytes, end } = this;
    if (bytes[at] === RETURN) return at + 1 >= end || bytes[at + 1] === NEWLINE;
    if (bytes[at] !== NEWLINE) return false;
    let backslashes = 0;
    while (at > backslashes && bytes[at - 1 - backslashes] === BACKSLASH) backslashes++;
    // In a pair of backslashes the first escapes the second.
    if (backslashes % 2 === 0) return true;
    this.hasNewlinesInTags = true;
    return false;
  }

  /**
   * Skips a name or a tag value, and returns its end.
   * @param ends ENDS_KEY for a tag key or field key, ENDS_TAG_VALUE for a tag value
   */
  private skipKey(ends: number): number {
    const { bytes, end } = this;
    let at = this.position;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === BACKSLASH) {
        if (at + 1 < end && escapesInKey(bytes[at + 1])) at++;
      } else if ((CLASS[byte] & ends) !== 0) {
        if (byte >= SPACE || ends === ENDS_KEY || this.endsLine(at)) break;
      }
    }
    this.position = at;
    return at;
  }

  private readString(quote: number): boolean {
    const { bytes, end } = this;
    let escapes = 0;
    let newlines = 0;
    /** Whether the string has a byte that JSON writes differently: a control character or a backslash that is no escape. */
    let differs = false;
    let at = quote + 1;
    for (; at < end && bytes[at] !== QUOTE; at++) {
      const byte = bytes[at];
      if (byte === BACKSLASH) {
        if (at + 1 < end && (bytes[at + 1] === QUOTE || bytes[at + 1] === BACKSLASH)) {
          escapes++;
          at++;
        } else differs = true;
      } else if (byte < SPACE) {
        differs = true;
        if (byte === NEWLINE) newlines++;
      }
    }
    if (at >= end) {
      // Without a closing quote the rest of the input would be this string. Go back, so that only this line is lost.
      this.position = quote;
      this.fail('expected a closing quote, found the end of the input', quote);
      return false;
    }
    this.newlines += newlines;
    this.kind = STRING;
    this.valueStart = quote + 1;
    this.valueEnd = at;
    this.escapes = escapes;
    this.isJsonText = !differs;
    this.position = at + 1;
    if (this.isText(this.valueStart, at)) return true;
    this.fail('invalid UTF-8 in a string', this.valueStart);
    return false;
  }

  /**
   * Reads a number in the form that nearly all numbers have: up to 18 digits without leading zeros, then a suffix or a fraction. Returns
   * false for any other value, which is not read. One pass over the bytes takes half the time of finding the end first.
   */
  private readUsualNumber(start: number): boolean {
    const { bytes, end } = this;
    const first = bytes[start] === MINUS ? start + 1 : start;
    let at = first;
    while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
    const digits = at - first;
    if (at >= end || digits === 0 || digits > 18 || (bytes[first] === ZERO && digits > 1)) return false;
    let valueEnd = at;
    let kind: FieldKind = FLOAT;
    const next = bytes[at];
    if (next === DOT) {
      at++;
      while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
      valueEnd = at;
      if (at - first > MAX_USUAL_DIGITS || bytes[at - 1] === DOT) return false;
    } else if (next === 0x69 /* i */) {
      if (first > start && bytes[first] === ZERO) return false;
      kind = INTEGER;
      at++;
    } else if (next === 0x75 /* u */) {
      if (first > start) return false;
      kind = UNSIGNED;
      at++;
    }
    if (at >= end || (CLASS[bytes[at]] & ENDS_VALUE) === 0) return false;
    this.kind = kind;
    this.isJsonText = true;
    this.valueStart = start;
    this.valueEnd = valueEnd;
    this.position = at;
    return true;
  }

  /** Sets the kind of the number in `valueStart..valueEnd`, removes its suffix, and checks its syntax and range. */
  private readNumber(): boolean {
    const { bytes, valueStart } = this;
    const last = bytes[this.valueEnd - 1];
    let form: number;
    if (last === 0x69 /* i */) {
      this.kind = INTEGER;
      form = integerForm(bytes, valueStart, --this.valueEnd);
    } else if (last === 0x75 /* u */) {
      this.kind = UNSIGNED;
      form = unsignedForm(bytes, valueStart, --this.valueEnd);
    } else {
      this.kind = FLOAT;
      form = floatForm(bytes, valueStart, this.valueEnd);
    }
    this.isJsonText = form === JSON_NUMBER;
    if (form !== INVALID) return true;
    this.fail(`invalid or out of range ${NUMBER_NAMES[this.kind]}`, valueStart);
    return false;
  }

  /** Consumes the separator after a field: a comma, spaces before the timestamp, or the end of the line. */
  private endField(): boolean {
    const { bytes, end } = this;
    if (this.position < end) {
      const next = bytes[this.position];
      if (next === COMMA) {
        this.position++;
        return true;
      }
      if ((CLASS[next] & ENDS_VALUE) === 0) {
        this.fail('unexpected character after the field', this.position);
        return false;
      }
      this.takeSpaces();
    }
    this.section = this.takeLineEnd() ? AT_LINE_END : AT_TIME;
    return true;
  }

  private parseTime(start: number, stop: number, precision: Precision): boolean {
    const { bytes } = this;
    const negative = bytes[start] === MINUS;
    let at = negative ? start + 1 : start;
    while (at < stop && bytes[at] === ZERO) at++;
    const secondsEnd = Math.max(at, stop - precision.fractionDigits);
    if (secondsEnd - at > 10) return false;
    let seconds = 0;
    for (; at < secondsEnd; at++) seconds = seconds * 10 + (bytes[at] - ZERO);
    seconds *= precision.secondsPerUnit;
    let nanos = 0;
    for (; at < stop; at++) nanos = nanos * 10 + (bytes[at] - ZERO);
    if (precision.fractionDigits === 6) nanos *= 1_000;
    else if (precision.fractionDigits === 3) nanos *= 1_000_000;
    if (negative) {
      seconds = nanos > 0 ? -seconds - 1 : 0 - seconds;
      nanos = nanos > 0 ? 1_000_000_000 - nanos : 0;
    }
    this.seconds = seconds;
    this.nanos = nanos;
    if (seconds >= MAX_SECONDS) return seconds === MAX_SECONDS && nanos <= MAX_NANOS;
    if (seconds <= MIN_SECONDS) return seconds === MIN_SECONDS && nanos >= MIN_NANOS;
    return true;
  }

  private isText(start: number, stop: number): boolean {
    return !this.checkUtf8 || isUtf8(this.bytes.subarray(start, stop));
  }

  private fail(reason: string, at: number): typeof ERROR {
    this.error = reason;
    this.errorAt = at;
    return ERROR;
  }
}
