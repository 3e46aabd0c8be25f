/** The fields of the series that have the same table and tag keys, each with what its measure begins with in a request. */
import { ByteMap, hashBytes } from '../line-protocol/byte-map';
import { escapesInKey, unescapeText } from '../line-protocol/bytes';
import type { LineDecoder } from '../line-protocol/decoder';
import { Words } from '../line-protocol/words';
import type { Dimension } from './dimensions';
import { measureNameProblem } from './limits';
import { escapeMeasureName, storedName } from './names';

export interface Field {
  /** Key and equals sign as they stand in a line. */
  readonly key: Words;
  /** `{"Name":"...","Value":"` */
  readonly head: Words;
  readonly measure: MeasureColumn;
  /** Why no record may have it. */
  readonly problem: string | undefined;
}

export interface MeasureColumn {
  readonly name: string;
  /** The last line that has it, and through which field: to see a measure that comes twice. */
  line: number;
  field: Field | undefined;
}

/** How many distinct fields the shapes of a request have between them. */
export interface FieldCount {
  fields: number;
}

/** How the fields of a measurement become measures. */
export interface FieldNaming {
  readonly escapeNames: boolean;
  /** Fields that always get the suffix. */
  readonly suffixed: ReadonlySet<string>;
}

const SUFFIX = '_field';

export class Shape {
  /** The fields of the line read last, in its order: most lines repeat it. */
  readonly layout: Field[] = [];
  private readonly fields = new ByteMap<Field>(16);
  private readonly measures = new Map<string, MeasureColumn>();

  /** @param dimensions of one of its series; only their names matter */
  constructor(
    private readonly dimensions: readonly Dimension[],
    private readonly naming: FieldNaming,
    private readonly count: FieldCount,
  ) {}

  /** True where these dimensions have the names of this shape, in the same order. */
  fits(dimensions: readonly Dimension[]): boolean {
    const own = this.dimensions;
    if (own.length !== dimensions.length) return false;
    for (let i = 0; i < own.length; i++) if (own[i].name !== dimensions[i].name) return false;
    return true;
  }

  /**
   * The field that the decoder has just read. Where a tag of the point has its name, or is known to have it in other points, its
   * measure is named `<key>_field`, since a dimension and a measure of a table cannot share a name.
   */
  field({ bytes, view, keyStart, keyEnd }: LineDecoder): Field {
    const hash = hashBytes(bytes, keyStart, keyEnd);
    let field = this.fields.get(view, keyStart, keyEnd, hash);
    if (field === undefined) {
      const text = unescapeText(bytes, keyStart, keyEnd, escapesInKey);
      const { name, problem } = this.measureName(text);
      field = {
        // The equals sign comes along.
        key: new Words(bytes.subarray(keyStart, keyEnd + 1)),
        head: Words.of(`{"Name":${JSON.stringify(name)},"Value":"`),
        measure: this.measure(name),
        problem,
      };
      this.fields.add(keyStart, keyEnd, hash, field);
      this.count.fields++;
    }
    return field;
  }

  private measureName(key: string): ReturnType<typeof storedName> {
    const { escapeNames, suffixed } = this.naming;
    const named = (text: string) => storedName(text, escapeNames, escapeMeasureName, measureNameProblem);
    const plain = named(key);
    const isTag = suffixed.has(key) || this.dimensions.some(({ name }) => name === plain.name);
    return isTag ? named(`${key}${SUFFIX}`) : plain;
  }

  private measure(name: string): MeasureColumn {
    let measure = this.measures.get(name);
    if (measure === undefined) {
      measure = { name, line: 0, field: undefined };
      this.measures.set(name, measure);
    }
    return measure;
  }
}
