/** The tags of one request as dimensions, each distinct `key=value` read and checked once. */

import { ByteMap, hashBytes } from '../line-protocol/byte-map';
import { escapesInKey, unescapeText } from '../line-protocol/bytes';
import type { LineDecoder } from '../line-protocol/decoder';
import { Words } from '../line-protocol/words';
import { dimensionNameProblem } from './limits';

export interface Dimension {
  /** Rank of arrival in the request. */
  readonly id: number;
  readonly name: string;
  /** `{"Name":"...","Value":"..."}` */
  readonly json: Words;
  /** Name and value in UTF-8. */
  readonly bytes: number;
  /** Why no record may have it. */
  readonly problem: string | undefined;
}

export class DimensionTable {
  private readonly byText = new ByteMap<Dimension>();
  /** Tags that are escaped in more than one way are one dimension. */
  private readonly byIdentity = new Map<string, Dimension>();

  /** The dimension of the tag that the decoder has just read. */
  read(decoder: LineDecoder): Dimension {
    const { bytes, view, keyStart, keyEnd, valueStart, valueEnd } = decoder;
    const hash = hashBytes(bytes, keyStart, valueEnd);
    let dimension = this.byText.get(view, keyStart, valueEnd, hash);
    if (dimension === undefined) {
      const name = unescapeText(bytes, keyStart, keyEnd, escapesInKey);
      dimension = this.intern(name, unescapeText(bytes, valueStart, valueEnd, escapesInKey));
      this.byText.add(keyStart, valueEnd, hash, dimension);
    }
    return dimension;
  }

  intern(name: string, value: string): Dimension {
    const json = `{"Name":${JSON.stringify(name)},"Value":${JSON.stringify(value)}}`;
    let dimension = this.byIdentity.get(json);
    if (dimension === undefined) {
      dimension = {
        id: this.byIdentity.size,
        name,
        json: Words.of(json),
        bytes: Buffer.byteLength(name) + Buffer.byteLength(value),
        problem: dimensionNameProblem(name),
      };
      this.byIdentity.set(json, dimension);
    }
    return dimension;
  }

  get size(): number {
    return this.byIdentity.size;
  }
}
