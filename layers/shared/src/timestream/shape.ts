/** The fields of all series that have the same table and tag keys, and their measures. */
import { ByteMap, hashBytes } from '../line-protocol/byte-map';
import { escapesInKey, unescapeText } from '../line-protocol/bytes';
import type { LineDecoder } from '../line-protocol/decoder';
import { Words } from '../line-protocol/words';
import type { Dimension } from './dimensions';
import { measureNameProblem } from './limits';
import { MeasureColumn } from './measure-json';
import { escapeMeasureName, storedName } from './names';

export interface Field {
  /** Key and equals sign, as in a line. */
  readonly key: Words;
  readonly measure: MeasureColumn;
  /** Why records cannot have this field; undefined if they can. */
  readonly problem: string | undefined;
}

/** The distinct fields and measures in all shapes of a request. */
export interface FieldCount {
  fields: number;
  /** By id. */
  readonly columns: MeasureColumn[];
}

/** How fields of a measurement are named as measures. */
export interface FieldNaming {
  readonly escapeNames: boolean;
  /** Fields that always get the suffix. */
  readonly suffixed: ReadonlySet<string>;
}

const SUFFIX = '_field';

export class Shape {
  /** The fields of the previous line, in its order. Most lines repeat it. */
  readonly layout: Field[] = [];
  private readonly fieldNumbers = new ByteMap();
  private readonly fields: Field[] = [];
  private readonly measures = new Map<string, MeasureColumn>();

  /**
   * @param id number of the shape in the request, from 0
   * @param dimensions dimensions of one of its series; only their names matter
   */
  constructor(
    readonly id: number,
    private readonly dimensions: readonly Dimension[],
    private readonly naming: FieldNaming,
    private readonly count: FieldCount,
  ) {}

  /** Whether these dimensions have the names of this shape, in the same order. */
  fits(dimensions: readonly Dimension[]): boolean {
    const own = this.dimensions;
    if (own.length !== dimensions.length) return false;
    for (let i = 0; i < own.length; i++) if (own[i].name !== dimensions[i].name) return false;
    return true;
  }

  /**
   * The decoder's current field. Its measure is named `<key>_field` if the point has a tag with the same name, or if the
   * configuration lists the field. The suffix repeats while the point has a tag with the suffixed name too. A dimension and a measure of one table cannot have the same name.
   */
  field({ bytes, view, keyStart, keyEnd }: LineDecoder): Field {
    const hash = hashBytes(view, keyStart, keyEnd);
    const number = this.fieldNumbers.find(view, keyStart, keyEnd, hash);
    if (number >= 0) return this.fields[number];
    const text = unescapeText(bytes, keyStart, keyEnd, escapesInKey);
    const { name, problem } = this.measureName(text);
    // Includes the equals sign.
    const key = new Words(bytes.subarray(keyStart, keyEnd + 1));
    const field = { key, measure: this.measure(name), problem };
    this.fieldNumbers.add(keyStart, keyEnd, hash);
    this.fields.push(field);
    this.count.fields++;
    return field;
  }

  private measureName(key: string): ReturnType<typeof storedName> {
    const { escapeNames, suffixed } = this.naming;
    const named = (text: string) => storedName(text, escapeNames, escapeMeasureName, measureNameProblem);
    let text = suffixed.has(key) ? key + SUFFIX : key;
    let measure = named(text);
    while (this.dimensions.some(({ name }) => name === measure.name)) {
      text += SUFFIX;
      measure = named(text);
    }
    return measure;
  }

  private measure(name: string): MeasureColumn {
    let measure = this.measures.get(name);
    if (measure === undefined) {
      measure = new MeasureColumn(this.count.columns.length, name);
      this.count.columns.push(measure);
      this.measures.set(name, measure);
    }
    return measure;
  }
}
