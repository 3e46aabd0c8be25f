/**
 * The measures of a request's records, as columns of numbers: what they are, and where their values are in the lines. Their JSON, which
 * is several times as long as the lines, exists only in the calls that are being sent.
 */
import { BACKSLASH, escapesInString } from '../line-protocol/bytes';
import { BOOLEAN as BOOLEAN_KIND, type LineDecoder, STRING } from '../line-protocol/decoder';
import { LITTLE_ENDIAN, viewOf, Words } from '../line-protocol/words';
import { borrowIntegers, returnIntegers, withRoom } from '../reused-buffers';
import { type ByteWriter, jsonTextBytes } from './byte-writer';
import { BOOLEAN_BYTES, NUMBER_BYTES } from './limits';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  END_BYTES,
  END_OF_VALUE,
  type Form,
  type MeasureColumn,
  VARCHAR,
} from './measure-json';

/**
 * Numbers per measure: its column and the form of its value; start and end of the value in the lines, or the text of a short number
 * itself. Calls are in the order of series, so their records are far apart in the lines. Reading the lines again for each value would take
 * a third of the time of writing the calls.
 */
const WIDTH = 3;
const FIRST_NUMBERS = 8 * 1024;
/**
 * The first number, from its lowest bit: the form; whether the text of the value must change for JSON; the length of a short number,
 * 0 for other values; the id of the column.
 */
const FORM = 7;
const CHANGES = 8;
const LENGTH_SHIFT = 4;
const COLUMN_SHIFT = 8;
const ALL_BUT_COLUMN = (1 << COLUMN_SHIFT) - 1;
const MAX_SHORT = 8;

const TRUE = Words.of('true');
const FALSE = Words.of('false');
const FORM_OF_KIND: readonly Form[] = [DOUBLE, BIGINT, BIGINT, BOOLEAN, VARCHAR];

export class MeasureList {
  /** Number of measures. */
  length = 0;
  /** Length of the JSON of all measures, with a comma after each. */
  jsonBytes = 0;
  private numbers = borrowIntegers(FIRST_NUMBERS);
  private readonly view: DataView;

  /** @param columns the measures of the request, by id */
  constructor(
    private readonly source: Uint8Array,
    private readonly columns: readonly MeasureColumn[],
  ) {
    this.view = viewOf(source);
  }

  /** Adds the decoder's current field. Returns the bytes of its value, as AWS meters them. */
  add(column: MeasureColumn, { escapes, isJsonText, kind, valueEnd, valueStart }: LineDecoder): number {
    const form = FORM_OF_KIND[kind];
    const { view } = this;
    const length = valueEnd - valueStart;
    if (isJsonText && kind !== STRING && length <= MAX_SHORT && valueStart + MAX_SHORT <= view.byteLength) {
      const first = view.getInt32(valueStart, LITTLE_ENDIAN);
      const second = view.getInt32(valueStart + 4, LITTLE_ENDIAN);
      this.place(column, form | (length << LENGTH_SHIFT), first, second);
      return NUMBER_BYTES;
    }
    this.place(column, isJsonText ? form : form | CHANGES, valueStart, valueEnd);
    return kind === STRING ? length - escapes : kind === BOOLEAN_KIND ? BOOLEAN_BYTES : NUMBER_BYTES;
  }

  /** Replaces the measures from `start` on. @param jsonBytes `jsonBytes` when `start` was the length */
  replace(start: number, jsonBytes: number, measures: Iterable<number>): void {
    this.length = start;
    this.jsonBytes = jsonBytes;
    this.repeat(measures);
  }

  /** Adds copies of measures. */
  repeat(measures: Iterable<number>): void {
    for (const measure of measures) {
      const at = measure * WIDTH;
      this.place(this.columnOf(measure), this.numbers[at] & ALL_BUT_COLUMN, this.numbers[at + 1], this.numbers[at + 2]);
    }
  }

  /** Returns the memory of the columns for reuse. */
  release(): void {
    returnIntegers(this.numbers);
  }

  columnOf(measure: number): MeasureColumn {
    return this.columns[this.numbers[measure * WIDTH] >>> COLUMN_SHIFT];
  }

  /** The bytes of a value, as AWS meters them. */
  valueBytes(measure: number): number {
    const form = this.formOf(measure);
    if (form === BOOLEAN) return BOOLEAN_BYTES;
    if (form !== VARCHAR) return NUMBER_BYTES;
    const { source } = this;
    const end = this.numbers[measure * WIDTH + 2];
    let bytes = 0;
    for (let at = this.numbers[measure * WIDTH + 1]; at < end; at++) {
      if (source[at] === BACKSLASH && at + 1 < end && escapesInString(source[at + 1])) at++;
      bytes++;
    }
    return bytes;
  }

  /** Appends the measures `start..end` as JSON objects with commas between them. */
  write(body: ByteWriter, start: number, end: number): void {
    const { columns, numbers, view } = this;
    let previous = -1;
    for (let at = start * WIDTH; at < end * WIDTH; at += WIDTH) {
      const code = numbers[at];
      const column = columns[code >>> COLUMN_SHIFT];
      const head = previous < 0 ? column.head : column.headAfter(previous as Form, body);
      const length = (code & ALL_BUT_COLUMN) >> LENGTH_SHIFT;
      if (length > 0) body.wordsAndShort(head, numbers[at + 1], numbers[at + 2], length);
      else if ((code & CHANGES) === 0) body.wordsAndCopy(head, view, numbers[at + 1], numbers[at + 2]);
      else {
        body.words(head);
        this.writeChanged(body, at);
      }
      previous = code & FORM;
    }
    if (previous >= 0) body.words(END_OF_VALUE[previous]);
  }

  private formOf(measure: number): Form {
    return (this.numbers[measure * WIDTH] & FORM) as Form;
  }

  /** @param form all of the first number but the column */
  private place(column: MeasureColumn, form: number, second: number, third: number): void {
    const at = this.length * WIDTH;
    if (at + WIDTH > this.numbers.length) this.numbers = withRoom(this.numbers, at + WIDTH);
    const { numbers } = this;
    numbers[at] = (column.id << COLUMN_SHIFT) | form;
    numbers[at + 1] = second;
    numbers[at + 2] = third;
    this.length++;
    const valueBytes =
      form >= 1 << LENGTH_SHIFT ? form >> LENGTH_SHIFT : form < CHANGES ? third - second : this.changedBytes(at);
    this.jsonBytes += column.headBytes + valueBytes + END_BYTES[form & FORM];
  }

  private changedBytes(at: number): number {
    const { numbers } = this;
    const form = numbers[at];
    const start = numbers[at + 1];
    const end = numbers[at + 2];
    if ((form & FORM) === VARCHAR) return jsonTextBytes(this.source, start, end, escapesInString);
    if ((form & FORM) === BOOLEAN) return this.booleanAt(start).length;
    return canonicalNumber(this.source, start, end, (form & FORM) === DOUBLE).length;
  }

  private booleanAt(start: number): Words {
    return (this.source[start] | 0x20) === 0x74 /* t */ ? TRUE : FALSE;
  }

  private writeChanged(body: ByteWriter, at: number): void {
    const { numbers } = this;
    const form = numbers[at];
    const start = numbers[at + 1];
    const end = numbers[at + 2];
    if ((form & FORM) === BOOLEAN) body.words(this.booleanAt(start));
    else if ((form & FORM) === VARCHAR) body.jsonText(this.source, start, end, escapesInString);
    else body.ascii(canonicalNumber(this.source, start, end, (form & FORM) === DOUBLE));
  }
}

/** A number that is not a JSON number, in its shortest form: `5` for `05.`, `0` for `-0i`. */
function canonicalNumber(source: Uint8Array, start: number, end: number, float: boolean): string {
  const text = Buffer.from(source.subarray(start, end)).toString('latin1');
  return float ? String(Number(text)) : String(BigInt(text));
}
