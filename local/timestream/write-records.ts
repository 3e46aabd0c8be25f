/** Carries out WriteRecords: decides for each record whether it is stored, and stores the accepted records in one transaction. */
import type { Catalog } from './catalog';
import type { Columns } from './columns';
import { ServiceError } from './errors';
import { exceededLimit } from './limits';
import { resourceName } from './names';
import { readRecords, type WriteRecord } from './record';
import { appendRecords, type NewRow } from './record-rows';
import { type Arrival, arrivalOf } from './retention';
import { type JsonObject, root } from './shape';
import type { Store } from './store';
import { recordsOf, type Table } from './table';
import { identityOf, type StoredVersion, VersionIndex, valuesOf } from './version-index';

interface Rejection {
  readonly RecordIndex: number;
  readonly Reason: string;
  readonly ExistingVersion?: bigint;
}

const SAME_VERSION =
  'A record already exists with the same time, dimensions, measure name, and record version. ' +
  'A higher record version must be specified in order to update the measure value. ' +
  'Specifying record version is supported by the latest SDKs.';

const lowerVersion = (version: bigint, existing: bigint) =>
  `The record version ${version} is lower than the existing version ${existing}. ` +
  'A higher version is required to update the measure value.';

/** The reason why the table refuses a record, whether or not a version of it is stored; or undefined. */
function refusal(table: Table, columns: Columns, record: WriteRecord, arrival: Arrival): string | undefined {
  const required = table.properties.Schema.CompositePartitionKey.find(
    ({ EnforcementInRecord }) => EnforcementInRecord === 'REQUIRED',
  )?.Name;
  if (required !== undefined && !record.dimensions.some(({ name }) => name === required)) {
    return `The record is missing the required partition key dimension '${required}'.`;
  }
  return exceededLimit(record) ?? arrival.rejection ?? columns.conflict(record);
}

async function writeToTable(store: Store, table: Table, records: readonly WriteRecord[], nowMs: number) {
  table.index ??= await VersionIndex.load(store, recordsOf(table));
  const { index } = table;
  const columns = table.columns.fork();
  const rows = new Map<string, NewRow>();
  const rejected: Rejection[] = [];
  const ingested = { Total: 0, MemoryStore: 0, MagneticStore: 0 };

  records.forEach((record, RecordIndex) => {
    const arrival = arrivalOf(record.time, table.properties, nowMs);
    const reason = refusal(table, columns, record, arrival);
    if (reason !== undefined) {
      rejected.push({ RecordIndex, Reason: reason });
      return;
    }
    const id = identityOf(record);
    const values = valuesOf(record);
    const existing: StoredVersion | undefined = rows.get(id) ?? index.get(id);
    if (existing && existing.version >= record.version && existing.values !== values) {
      const { version } = existing;
      const Reason = version === record.version ? SAME_VERSION : lowerVersion(record.version, version);
      rejected.push({ RecordIndex, Reason, ExistingVersion: version });
      return;
    }
    if (!existing || existing.version < record.version) {
      columns.add(record);
      rows.set(id, { record, id, values, version: record.version, row: index.takeRow(), replaces: index.get(id)?.row });
    }
    ingested.Total += 1;
    ingested[arrival.store] += 1;
  });

  if (rows.size > 0) await appendRecords(store, table, columns, [...rows.values()]);
  for (const { id, version, values, row } of rows.values()) index.set(id, { version, values, row });
  return { ingested, rejected };
}

/** Carries out WriteRecords. @throws ValidationException, ResourceNotFoundException, RejectedRecordsException */
export async function writeRecords(store: Store, catalog: Catalog, request: JsonObject, now: () => number) {
  const databaseName = resourceName(request, 'DatabaseName', root);
  const tableName = resourceName(request, 'TableName', root);
  const records = readRecords(request);
  const { ingested, rejected } = await store.exclusive(() =>
    writeToTable(store, catalog.table(databaseName, tableName), records, now()),
  );
  if (rejected.length > 0) {
    throw new ServiceError(
      'RejectedRecordsException',
      'One or more records have been rejected. See RejectedRecords for details.',
      { RejectedRecords: rejected },
    );
  }
  return { RecordsIngested: ingested };
}
