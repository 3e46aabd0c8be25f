/** The measurements of one request: table, measure name, and how their fields are named. Each distinct text is read once. */
import { ByteMap, hashBytes } from '../line-protocol/byte-map';
import { escapesInMeasurement, unescapeText } from '../line-protocol/bytes';
import type { LineDecoder } from '../line-protocol/decoder';
import { Words } from '../line-protocol/words';
import { recordNameProblem, tableNameProblem } from './limits';
import { escapeColumnName, escapeTableName, storedName } from './names';
import { Refusal } from './refusal';
import type { SeriesMapping, Table } from './series';
import type { FieldNaming, Shape } from './shape';

export interface Measurement {
  readonly table: Table;
  /** The measure name as a JSON string. */
  readonly measureName: Words;
  readonly naming: FieldNaming;
  /** Shapes by the names of their tags. */
  readonly shapes: Map<string, Shape>;
  lastShape: Shape | undefined;
  /** Why points of the measurement cannot be stored; undefined if they can. */
  readonly refusal: Refusal | undefined;
  readonly id: number;
}

export class MeasurementTable {
  /** By id. */
  readonly all: Measurement[] = [];
  private readonly byName = new Map<string, Measurement>();
  private readonly texts = new ByteMap();
  private readonly ofText: Measurement[] = [];
  private readonly singleTable: Table | undefined;

  constructor(private readonly mapping: SeriesMapping) {
    const { singleTable } = mapping;
    this.singleTable = singleTable === undefined ? undefined : { name: singleTable };
  }

  /** The decoder's current measurement. */
  read({ bytes, view, keyStart, keyEnd }: LineDecoder): Measurement {
    const hash = hashBytes(view, keyStart, keyEnd);
    const text = this.texts.find(view, keyStart, keyEnd, hash);
    if (text >= 0) return this.ofText[text];
    const name = unescapeText(bytes, keyStart, keyEnd, escapesInMeasurement);
    const measurement = this.byName.get(name) ?? this.add(name);
    this.texts.add(keyStart, keyEnd, hash);
    this.ofText.push(measurement);
    return measurement;
  }

  private add(name: string): Measurement {
    const { singleTable } = this;
    const { escapeNames, measureName, suffixedFields } = this.mapping;
    const own =
      singleTable === undefined
        ? storedName(name, escapeNames, escapeTableName, tableNameProblem)
        : storedName(name, escapeNames, escapeColumnName, recordNameProblem);
    const suffixed = suffixedFields.filter(({ measurement = name }) => measurement === name);
    const measurement: Measurement = {
      id: this.all.length,
      table: singleTable ?? { name: own.name },
      measureName: Words.of(JSON.stringify(singleTable === undefined ? measureName : own.name)),
      naming: { escapeNames, suffixed: new Set(suffixed.map(({ field }) => field)) },
      shapes: new Map<string, Shape>(),
      lastShape: undefined,
      refusal: own.problem === undefined ? undefined : new Refusal('names', own.problem),
    };
    this.all.push(measurement);
    this.byName.set(name, measurement);
    return measurement;
  }
}
