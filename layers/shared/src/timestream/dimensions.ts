/** The tags of one request as dimensions. Each distinct `key=value` is read and validated once. */

import { ByteMap, hashBytes } from '../line-protocol/byte-map';
import { escapeKey, escapesInKey, unescapeText } from '../line-protocol/bytes';
import type { LineDecoder } from '../line-protocol/decoder';
import { Words } from '../line-protocol/words';
import { returnIntegers, withRoom } from '../reused-buffers';
import { ByteWriter } from './byte-writer';
import { dimensionNameProblem } from './limits';
import { escapeColumnName, storedName } from './names';

export interface Dimension {
  /** Number of the dimension in the request, from 0, in order of appearance. */
  readonly id: number;
  readonly name: string;
  /** Length of name and value in UTF-8. */
  readonly bytes: number;
  /** Why records cannot have this dimension; undefined if they can. */
  readonly problem: string | undefined;
}

/** The dimension name of a tag key. */
interface Name {
  readonly text: string;
  readonly bytes: number;
  /** `{"Name":"...","Value":"` */
  readonly head: Words;
  readonly problem: string | undefined;
}

const TAIL = Words.of('"}');

export class DimensionTable {
  /** Number of dimensions. */
  size = 0;
  /** `{"Name":"...","Value":"..."}` of all dimensions, by id. */
  readonly json = ByteWriter.borrow(16 * 1024);
  /** Where the JSON of each dimension begins; the number after the last one is where the next will begin. */
  starts: Int32Array<ArrayBuffer> = new Int32Array(128);
  private readonly texts = new ByteMap(128);
  private readonly ofText: Dimension[] = [];
  private readonly keys = new ByteMap();
  private readonly ofKey: Name[] = [];
  /** The dimension of points without tags, and the text of an equal tag. */
  private readonly given: { readonly text: Words; readonly dimension: Dimension } | undefined;

  /** @param given dimension of points without tags; a tag with the same name and value is the same dimension */
  constructor(
    given: { readonly name: string; readonly value: string } | undefined,
    private readonly escapeNames: boolean,
  ) {
    if (given === undefined) return;
    const text = Words.of(`${escapeKey(given.name)}=${escapeKey(given.value)}`);
    const start = Buffer.byteLength(escapeKey(given.name)) + 1;
    this.given = { text, dimension: this.add(nameOf(given.name, false), text.bytes, start, text.length) };
  }

  /** The dimension of points without tags. */
  get default(): Dimension | undefined {
    return this.given?.dimension;
  }

  /** The dimension of the decoder's current tag. */
  read(decoder: LineDecoder): Dimension {
    const { bytes, view, keyStart, valueStart, valueEnd } = decoder;
    const hash = hashBytes(view, keyStart, valueEnd);
    const number = this.texts.find(view, keyStart, valueEnd, hash);
    if (number >= 0) return this.ofText[number];
    const { given } = this;
    // There is only one way to escape a text, so equal tags have equal bytes.
    const isGiven =
      given !== undefined && given.text.length === valueEnd - keyStart && given.text.standAt(view, keyStart);
    const dimension = isGiven ? given.dimension : this.add(this.name(decoder), bytes, valueStart, valueEnd);
    this.texts.add(keyStart, valueEnd, hash);
    this.ofText.push(dimension);
    return dimension;
  }

  /** The JSON of a dimension. */
  jsonOf(id: number): Buffer {
    return this.json.buffer.subarray(this.starts[id], this.starts[id + 1]);
  }

  /** Returns the memory for reuse. */
  release(): void {
    this.json.release();
    this.texts.release();
    returnIntegers(this.starts);
  }

  private name({ bytes, view, keyStart, keyEnd }: LineDecoder): Name {
    const hash = hashBytes(view, keyStart, keyEnd);
    const number = this.keys.find(view, keyStart, keyEnd, hash);
    if (number >= 0) return this.ofKey[number];
    const name = nameOf(unescapeText(bytes, keyStart, keyEnd, escapesInKey), this.escapeNames);
    this.keys.add(keyStart, keyEnd, hash);
    this.ofKey.push(name);
    return name;
  }

  /** @param value escaped text of the tag value, `value[from, to)` */
  private add(name: Name, value: Uint8Array, from: number, to: number): Dimension {
    const { json } = this;
    json.words(name.head);
    const bytes = name.bytes + json.jsonText(value, from, to, escapesInKey);
    json.words(TAIL);
    const id = this.size++;
    this.starts = withRoom(this.starts, id + 2);
    this.starts[id + 1] = json.length;
    return { id, name: name.text, bytes, problem: name.problem };
  }
}

function nameOf(key: string, escapeNames: boolean): Name {
  const { name: text, problem } = storedName(key, escapeNames, escapeColumnName, dimensionNameProblem);
  const head = Words.of(`{"Name":${JSON.stringify(text)},"Value":"`);
  return { text, bytes: Buffer.byteLength(text), head, problem };
}
