/** The tags of one request as dimensions. Each distinct `key=value` is read and validated once. */

import { ByteMap, hashBytes } from '../line-protocol/byte-map';
import { escapeKey, escapesInKey, unescapeText } from '../line-protocol/bytes';
import type { LineDecoder } from '../line-protocol/decoder';
import { Words } from '../line-protocol/words';
import { ByteWriter } from './byte-writer';
import { dimensionNameProblem } from './limits';
import { escapeColumnName, storedName } from './names';

export interface Dimension {
  /** Number of the dimension in the request, from 0, in order of appearance. */
  readonly id: number;
  readonly name: string;
  /** `json[start, end)` of the table is `{"Name":"...","Value":"..."}`. */
  readonly start: number;
  readonly end: number;
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
  readonly json = ByteWriter.borrow(4096);
  private readonly byText = new ByteMap<Dimension>();
  private readonly names = new ByteMap<Name>();
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
    const hash = hashBytes(bytes, keyStart, valueEnd);
    let dimension = this.byText.get(view, keyStart, valueEnd, hash);
    if (dimension === undefined) {
      const { given } = this;
      // There is only one way to escape a text, so equal tags have equal bytes.
      const isGiven =
        given !== undefined && given.text.length === valueEnd - keyStart && given.text.standAt(view, keyStart);
      dimension = isGiven ? given.dimension : this.add(this.name(decoder), bytes, valueStart, valueEnd);
      this.byText.add(keyStart, valueEnd, hash, dimension);
    }
    return dimension;
  }

  private name({ bytes, view, keyStart, keyEnd }: LineDecoder): Name {
    const hash = hashBytes(bytes, keyStart, keyEnd);
    let name = this.names.get(view, keyStart, keyEnd, hash);
    if (name === undefined) {
      const key = unescapeText(bytes, keyStart, keyEnd, escapesInKey);
      name = nameOf(key, this.escapeNames);
      this.names.add(keyStart, keyEnd, hash, name);
    }
    return name;
  }

  /** @param value escaped text of the tag value, `value[from, to)` */
  private add(name: Name, value: Uint8Array, from: number, to: number): Dimension {
    const { json } = this;
    const start = json.length;
    json.words(name.head);
    const bytes = name.bytes + json.jsonText(value, from, to, escapesInKey);
    json.words(TAIL);
    return { id: this.size++, name: name.text, start, end: json.length, bytes, problem: name.problem };
  }
}

function nameOf(key: string, escapeNames: boolean): Name {
  const { name: text, problem } = storedName(key, escapeNames, escapeColumnName, dimensionNameProblem);
  const head = Words.of(`{"Name":${JSON.stringify(text)},"Value":"`);
  return { text, bytes: Buffer.byteLength(text), head, problem };
}
