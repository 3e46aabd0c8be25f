/** The JSON of measures around their values: `{"Name":"...","Value":"` before a value, `","Type":"..."}` after it. */
import { Words } from '../line-protocol/words';
import type { ByteWriter } from './byte-writer';
import type { Field } from './shape';

/** Forms of a value: the type of its measure. */
export const DOUBLE = 0;
export const BIGINT = 1;
export const BOOLEAN = 2;
export const VARCHAR = 3;
export type Form = typeof DOUBLE | typeof BIGINT | typeof BOOLEAN | typeof VARCHAR;

const ENDS = ['DOUBLE', 'BIGINT', 'BOOLEAN', 'VARCHAR'].map((type) => `","Type":"${type}"}`);

/** What follows a value, by its form. */
export const END_OF_VALUE: readonly Words[] = ENDS.map(Words.of);
/** The length of this and of a comma. */
export const END_BYTES: readonly number[] = ENDS.map((end) => end.length + 1);
/** The same with a comma. */
export const END_AND_COMMA: readonly Words[] = ENDS.map((end) => Words.of(`${end},`));

/** A measure of all records of a shape. */
export class MeasureColumn {
  /** `{"Name":"...","Value":"` */
  readonly head: Words;
  readonly headBytes: number;
  /** The last line and field with this measure, to detect a measure that a line has twice. */
  line = 0;
  field: Field | undefined;
  /** `joinedForm`, as the end of the previous value, a comma, and the head: one text, because most records repeat it. */
  private joined: Words;
  private joinedForm: Form | undefined;

  /** @param id number of the measure in the request, from 0 */
  constructor(
    readonly id: number,
    readonly name: string,
  ) {
    this.head = Words.of(headOf(name));
    this.headBytes = this.head.length;
    this.joined = this.head;
  }

  /** Writes what precedes the head after a value of this form, except what the result begins with. The caller writes the result. */
  headAfter(form: Form, body: ByteWriter): Words {
    if (this.joinedForm === form) return this.joined;
    if (this.joined === this.head) {
      this.joined = Words.of(`${ENDS[form]},${headOf(this.name)}`);
      this.joinedForm = form;
      return this.joined;
    }
    body.words(END_AND_COMMA[form]);
    return this.head;
  }
}

const headOf = (name: string): string => `{"Name":${JSON.stringify(name)},"Value":"`;
