/** The WriteRecords operation: reads the records of the request, and reports which of them are stored. */
import { ServiceError } from './errors';
import { resourceName } from './names';
import { readRecords } from './record';
import { type JsonObject, root } from './shape';
import type { WriteQueue } from './write-queue';

/** Carries out WriteRecords. @throws ValidationException, ResourceNotFoundException, RejectedRecordsException */
export async function writeRecords(writes: WriteQueue, request: JsonObject) {
  const database = resourceName(request, 'DatabaseName', root);
  const table = resourceName(request, 'TableName', root);
  const { ingested, rejected } = await writes.write({ database, table, records: readRecords(request) });
  if (rejected.length > 0) {
    throw new ServiceError(
      'RejectedRecordsException',
      'One or more records have been rejected. See RejectedRecords for details.',
      { RejectedRecords: rejected },
    );
  }
  return { RecordsIngested: ingested };
}
