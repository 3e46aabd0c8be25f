/** Reads the records of a WriteRecords call: merges the common attributes, and refuses a call that breaks the service's model. */
import { constraintError, validationError } from './errors';
import {
  MAX_LONG,
  parseMeasureValue,
  SCALAR_TYPES,
  type ScalarType,
  TIME_UNITS,
  type TimeUnit,
  toNanoseconds,
} from './measure-value';
import { checkColumnName } from './names';
import { RecordPattern } from './record-pattern';
import { RecordShape, type WriteRecord } from './record-shape';
import {
  element,
  type JsonObject,
  member,
  missing,
  objectOf,
  optionalEnum,
  optionalList,
  optionalObject,
  optionalString,
  type Path,
  requiredString,
  root,
} from './shape';

interface Dimension {
  readonly name: string;
  readonly value: string;
}

interface MeasureText {
  readonly name: string;
  readonly text: string;
  readonly type: ScalarType;
}

/** The members of a record or of the common attributes. All are optional. */
interface RecordParts {
  readonly dimensions: readonly Dimension[];
  readonly measureName: string | undefined;
  readonly measureValue: string | undefined;
  readonly type: ScalarType | 'MULTI' | undefined;
  readonly measureValues: readonly MeasureText[];
  readonly time: string | undefined;
  readonly timeUnit: TimeUnit | undefined;
  readonly version: bigint | undefined;
}

const MEASURE_TYPES = [...SCALAR_TYPES, 'MULTI'] as const;
const VALUE_LENGTH = { min: 1, max: 2048 };
const NAME_LENGTH = { min: 1 };
const ANY_LENGTH = { min: 0, max: Number.MAX_SAFE_INTEGER };

function readDimension(value: unknown, at: Path): Dimension {
  const from = objectOf(value, at);
  const name = requiredString(from, 'Name', at, NAME_LENGTH);
  optionalEnum(from, 'DimensionValueType', at, ['VARCHAR']);
  checkColumnName('dimension', name);
  return { name, value: requiredString(from, 'Value', at) };
}

function readMeasureValue(value: unknown, at: Path): MeasureText {
  const from = objectOf(value, at);
  const name = requiredString(from, 'Name', at, NAME_LENGTH);
  const text = requiredString(from, 'Value', at, VALUE_LENGTH);
  const type = optionalEnum(from, 'Type', at, MEASURE_TYPES);
  if (type === undefined) throw missing(member(at, 'Type'));
  if (type === 'MULTI') throw validationError(`The type of the measure value '${name}' must not be MULTI.`);
  checkColumnName('measure', name);
  return { name, text, type };
}

function readVersion(from: JsonObject, at: Path): bigint | undefined {
  const value = from.Version;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'bigint' && !Number.isInteger(value)) {
    throw constraintError(member(at, 'Version')(), value, 'Member must be an integer');
  }
  const version = BigInt(value as number | bigint);
  if (version < 1n || version > MAX_LONG) {
    throw constraintError(member(at, 'Version')(), value, `Member must have value between 1 and ${MAX_LONG}`);
  }
  return version;
}

function readParts(from: JsonObject, at: Path): RecordParts {
  const dimensions = optionalList(from, 'Dimensions', at, { min: 0, max: 128 }) ?? [];
  const measureValues = optionalList(from, 'MeasureValues', at, ANY_LENGTH) ?? [];
  return {
    dimensions: dimensions.map((value, i) => readDimension(value, element(member(at, 'Dimensions'), i))),
    measureName: optionalString(from, 'MeasureName', at, NAME_LENGTH),
    measureValue: optionalString(from, 'MeasureValue', at, VALUE_LENGTH),
    type: optionalEnum(from, 'MeasureValueType', at, MEASURE_TYPES),
    measureValues: measureValues.map((value, i) => readMeasureValue(value, element(member(at, 'MeasureValues'), i))),
    time: optionalString(from, 'Time', at, { min: 1, max: 256 }),
    timeUnit: optionalEnum(from, 'TimeUnit', at, TIME_UNITS),
    version: readVersion(from, at),
  };
}

function mergeDimensions(common: RecordParts, own: RecordParts, at: Path): readonly Dimension[] {
  const dimensions = [...common.dimensions, ...own.dimensions];
  if (dimensions.length === 0) throw validationError('At least one dimension is required for a record.');
  if (dimensions.length > 128) {
    throw constraintError(
      member(at, 'Dimensions')(),
      `[${dimensions.length} members]`,
      'Member must have length less than or equal to 128',
    );
  }
  const names = new Set<string>();
  for (const { name } of dimensions) {
    if (names.has(name)) {
      throw validationError(`Dimensions must have unique names: '${name}' is given twice for '${at()}'.`);
    }
    names.add(name);
  }
  return dimensions;
}

function mergeMeasures(
  common: RecordParts,
  own: RecordParts,
  type: ScalarType | 'MULTI',
  measureName: string,
  at: Path,
): readonly MeasureText[] {
  const text = own.measureValue ?? common.measureValue;
  const values = [...common.measureValues, ...own.measureValues];
  if (type === 'MULTI') {
    if (text !== undefined) throw validationError(`MeasureValue is not allowed for type MULTI at '${at()}'.`);
    if (values.length === 0) throw validationError(`MeasureValues is required for type MULTI at '${at()}'.`);
    if (new Set(values.map(({ name }) => name)).size < values.length) {
      throw validationError(`MeasureValues must have unique names at '${at()}'.`);
    }
    return values;
  }
  if (values.length > 0) throw validationError(`MeasureValues is only allowed for type MULTI at '${at()}'.`);
  if (text === undefined) throw validationError(`MeasureValue is required at '${at()}'.`);
  if (type === 'TIMESTAMP') throw validationError(`TIMESTAMP is only allowed inside MeasureValues at '${at()}'.`);
  return [{ name: measureName, text, type }];
}

/** The unit of a record's time and of its TIMESTAMP measures. */
const unitOf = (common: RecordParts, own: RecordParts): TimeUnit => own.timeUnit ?? common.timeUnit ?? 'MILLISECONDS';

function mergeRecord(common: RecordParts, own: RecordParts, at: Path): WriteRecord {
  const measureName = own.measureName ?? common.measureName;
  if (measureName === undefined) throw validationError(`A measure name is required at '${at()}'.`);
  checkColumnName('measure', measureName);
  const timeUnit = unitOf(common, own);
  const time = toNanoseconds(own.time ?? common.time ?? '', timeUnit);
  if (time === undefined) throw validationError('Invalid time for record.');
  const type = own.type ?? common.type ?? 'DOUBLE';
  const texts = mergeMeasures(common, own, type, measureName, at);
  const dimensions = mergeDimensions(common, own, at);
  const measures = texts.map(({ name, type, text }) => parseMeasureValue(name, text, type, timeUnit));
  const names = dimensions.map(({ name }) => name);
  const shapes = texts.map(({ name, type }) => ({ name, type }));
  return {
    shape: new RecordShape(names, measureName, type, shapes),
    dimensions: dimensions.map(({ value }) => value),
    measures,
    time,
    version: own.version ?? common.version ?? 1n,
  };
}

/** The merged records of a WriteRecords request, in order. @throws ValidationException, SerializationException */
export function readRecords(request: JsonObject): readonly WriteRecord[] {
  const list = optionalList(request, 'Records', root, { min: 1, max: 100 });
  if (list === undefined) throw missing(member(root, 'Records'));
  const common = readParts(optionalObject(request, 'CommonAttributes', root) ?? {}, member(root, 'CommonAttributes'));
  let pattern: RecordPattern | undefined;
  return list.map((value, i) => {
    const like = pattern?.read(value);
    if (like !== undefined) return like;
    const at = element(member(root, 'Records'), i);
    const raw = objectOf(value, at);
    const own = readParts(raw, at);
    const record = mergeRecord(common, own, at);
    pattern = new RecordPattern(raw, record, unitOf(common, own));
    return record;
  });
}
