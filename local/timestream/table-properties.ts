/** Reads the properties of a table from requests: retention, magnetic store writes and the partition key. */
import { validationError } from './errors';
import {
  element,
  type JsonObject,
  member,
  missing,
  objectOf,
  optionalBoolean,
  optionalEnum,
  optionalInteger,
  optionalList,
  optionalObject,
  optionalString,
  root,
} from './shape';

export interface PartitionKey {
  readonly Type: 'DIMENSION' | 'MEASURE';
  readonly Name?: string;
  readonly EnforcementInRecord?: 'REQUIRED' | 'OPTIONAL';
}

/** In the form of the API, which is also stored and returned. */
export interface TableProperties {
  readonly RetentionProperties: {
    readonly MemoryStoreRetentionPeriodInHours: number;
    readonly MagneticStoreRetentionPeriodInDays: number;
  };
  readonly MagneticStoreWriteProperties: JsonObject & { readonly EnableMagneticStoreWrites: boolean };
  readonly Schema: { readonly CompositePartitionKey: readonly PartitionKey[] };
}

const DEFAULTS: TableProperties = {
  RetentionProperties: { MemoryStoreRetentionPeriodInHours: 6, MagneticStoreRetentionPeriodInDays: 73_000 },
  MagneticStoreWriteProperties: { EnableMagneticStoreWrites: false },
  Schema: { CompositePartitionKey: [{ Type: 'MEASURE' }] },
};

function readRetention(request: JsonObject): TableProperties['RetentionProperties'] | undefined {
  const at = member(root, 'RetentionProperties');
  const from = optionalObject(request, 'RetentionProperties', root);
  if (!from) return undefined;
  const read = (key: string, max: number) => {
    const value = optionalInteger(from, key, at, { min: 1, max });
    if (value === undefined) throw missing(member(at, key));
    return value;
  };
  return {
    MemoryStoreRetentionPeriodInHours: read('MemoryStoreRetentionPeriodInHours', 8_766),
    MagneticStoreRetentionPeriodInDays: read('MagneticStoreRetentionPeriodInDays', 73_000),
  };
}

function readMagneticWrites(request: JsonObject): TableProperties['MagneticStoreWriteProperties'] | undefined {
  const at = member(root, 'MagneticStoreWriteProperties');
  const from = optionalObject(request, 'MagneticStoreWriteProperties', root);
  if (!from) return undefined;
  const enabled = optionalBoolean(from, 'EnableMagneticStoreWrites', at);
  if (enabled === undefined) throw missing(member(at, 'EnableMagneticStoreWrites'));
  const location = optionalObject(from, 'MagneticStoreRejectedDataLocation', at);
  return {
    EnableMagneticStoreWrites: enabled,
    ...(location && { MagneticStoreRejectedDataLocation: location }),
  };
}

function readPartitionKey(value: unknown, index: number): PartitionKey {
  const at = element(member(member(root, 'Schema'), 'CompositePartitionKey'), index);
  const from = objectOf(value, at);
  const type = optionalEnum(from, 'Type', at, ['DIMENSION', 'MEASURE'] as const);
  if (!type) throw missing(member(at, 'Type'));
  const name = optionalString(from, 'Name', at, { min: 1 });
  const enforcement = optionalEnum(from, 'EnforcementInRecord', at, ['REQUIRED', 'OPTIONAL'] as const);
  if (type === 'MEASURE') {
    if (name !== undefined || enforcement) {
      throw validationError('Name and EnforcementInRecord are not allowed for a partition key of type MEASURE.');
    }
    return { Type: type };
  }
  if (name === undefined) throw validationError('A partition key of type DIMENSION requires a Name.');
  if (!enforcement) throw validationError('A partition key of type DIMENSION requires EnforcementInRecord.');
  return { Type: type, Name: name, EnforcementInRecord: enforcement };
}

function readSchema(request: JsonObject): TableProperties['Schema'] | undefined {
  const from = optionalObject(request, 'Schema', root);
  const keys =
    from &&
    optionalList(from, 'CompositePartitionKey', member(root, 'Schema'), { min: 1, max: Number.MAX_SAFE_INTEGER });
  if (!keys) return undefined;
  if (keys.length > 1) throw validationError('A table can have only one partition key.');
  return { CompositePartitionKey: keys.map(readPartitionKey) };
}

/** The properties of a new table. The service's defaults fill in values that the request does not give. */
export function newTableProperties(request: JsonObject): TableProperties {
  return {
    RetentionProperties: readRetention(request) ?? DEFAULTS.RetentionProperties,
    MagneticStoreWriteProperties: readMagneticWrites(request) ?? DEFAULTS.MagneticStoreWriteProperties,
    Schema: readSchema(request) ?? DEFAULTS.Schema,
  };
}

/** The properties after an update. Of the partition key, only the enforcement may change. */
export function updatedTableProperties(old: TableProperties, request: JsonObject): TableProperties {
  const schema = readSchema(request) ?? old.Schema;
  const [before] = old.Schema.CompositePartitionKey;
  const [after] = schema.CompositePartitionKey;
  if (before?.Type !== after?.Type || before?.Name !== after?.Name) {
    throw validationError('The type and the name of a partition key cannot be changed after the table was created.');
  }
  return {
    RetentionProperties: readRetention(request) ?? old.RetentionProperties,
    MagneticStoreWriteProperties: readMagneticWrites(request) ?? old.MagneticStoreWriteProperties,
    Schema: schema,
  };
}
