/** WriteRecords calls as plain records, decoded by the API's definition, for comparisons and the model. */

/** A record with its common attributes merged in, its time in nanoseconds, and values by type. */
export interface PlainRecord {
  readonly table: string;
  readonly measureName: string;
  /** `name=value`, sorted. */
  readonly dimensions: readonly string[];
  readonly time: bigint;
  /** Type and value by measure. */
  readonly measures: Readonly<Record<string, string>>;
}

export interface PlainCall {
  readonly database: string;
  readonly table: string;
  readonly versions: readonly number[];
  readonly records: readonly PlainRecord[];
}

interface WireRecord {
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
  readonly MeasureName?: string;
  readonly MeasureValueType?: string;
  readonly MeasureValues?: readonly { readonly Name: string; readonly Value: string; readonly Type: string }[];
  readonly Time?: string;
  readonly TimeUnit?: string;
  readonly Version?: number;
}

export interface WireCall {
  readonly DatabaseName: string;
  readonly TableName: string;
  readonly CommonAttributes: WireRecord;
  readonly Records: readonly WireRecord[];
}

const NANOSECONDS_PER: Readonly<Record<string, bigint>> = {
  SECONDS: 1_000_000_000n,
  MILLISECONDS: 1_000_000n,
  MICROSECONDS: 1_000n,
  NANOSECONDS: 1n,
};

/** What identifies a record: the table, the dimensions, the time and the measure name. */
export const identityOf = ({ table, measureName, dimensions, time }: PlainRecord): string =>
  JSON.stringify([table, measureName, dimensions, String(time)]);

export const readCall = (body: Uint8Array): WireCall => ({
  CommonAttributes: {},
  ...(JSON.parse(Buffer.from(body).toString('utf8')) as Omit<WireCall, 'CommonAttributes'>),
});

/** The records of a body. @throws Error if the service would refuse its form */
export function expandCall(body: Uint8Array): PlainCall {
  const call = readCall(body);
  if (call.Records.length < 1 || call.Records.length > 100) throw new Error(`${call.Records.length} records in a call`);
  const records = call.Records.map((record) => expandRecord(call, record));
  return {
    database: call.DatabaseName,
    table: call.TableName,
    versions: call.Records.map(({ Version }) => Version ?? call.CommonAttributes.Version ?? 1),
    records,
  };
}

function expandRecord({ TableName, CommonAttributes }: WireCall, own: WireRecord): PlainRecord {
  const { MeasureName, MeasureValueType, MeasureValues = [], Time, TimeUnit } = { ...CommonAttributes, ...own };
  const dimensions = [...(CommonAttributes.Dimensions ?? []), ...(own.Dimensions ?? [])];
  const names = new Set(dimensions.map(({ Name }) => Name));
  if (dimensions.length < 1 || dimensions.length > 128) throw new Error(`${dimensions.length} dimensions`);
  if (names.size < dimensions.length) throw new Error('repeated dimension');
  if (MeasureName === undefined || MeasureValueType !== 'MULTI') throw new Error('not a multi-measure record');
  if (!/^\d+$/.test(Time ?? '')) throw new Error(`time ${Time}`);
  const measures: Record<string, string> = {};
  for (const { Name, Value, Type } of MeasureValues) {
    if (Object.hasOwn(measures, Name) || names.has(Name)) throw new Error(`repeated measure ${Name}`);
    measures[Name] = `${Type} ${plainValue(Type, Value)}`;
  }
  if (MeasureValues.length === 0) throw new Error('no measures');
  return {
    table: TableName,
    measureName: MeasureName,
    dimensions: dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort(),
    time: BigInt(Time ?? '') * (NANOSECONDS_PER[TimeUnit ?? 'MILLISECONDS'] ?? 0n),
    measures,
  };
}

/** The value in one spelling: 1.50 and 1.5 are one double. @throws Error if the service would refuse it */
function plainValue(type: string, value: string): string {
  if (value.length < 1 || value.length > 2048) throw new Error(`a value of ${value.length} characters`);
  switch (type) {
    case 'DOUBLE':
      // The service reads every JSON number as a double; other forms are not documented.
      return String(JSON.parse(value) as number);
    case 'BIGINT':
      if (!/^-?(?:0|[1-9]\d*)$/.test(value) || BigInt.asIntN(64, BigInt(value)) !== BigInt(value))
        throw new Error(value);
      return String(BigInt(value));
    case 'BOOLEAN':
      if (value !== 'true' && value !== 'false') throw new Error(value);
      return value;
    case 'VARCHAR':
      return value;
    default:
      throw new Error(`type ${type}`);
  }
}
