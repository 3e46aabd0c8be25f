/** Stores lines in Timestream. */
import type { ConnectorConfig } from 'shared/config';
import { number } from 'shared/count-text';
import type { Timing } from 'shared/resilience/clock';
import { type RecordsOutcome, TableCounts } from 'shared/timestream/record-ledger';
import { mapLines } from 'shared/timestream/records';
import type { SendWriteRecords } from 'shared/timestream/service';
import type { TableCreator } from 'shared/timestream/tables';
import { writeRecords } from 'shared/timestream/writer';
import type { Destination } from './destination';
import { permanentCause } from './unstored-cause';

/** Limit for the JSON of all records, as a multiple of the limit for a body. Most bodies need twice their own size. */
export const JSON_BYTES_OF_BODY = 4;

export interface TimestreamServices {
  readonly send: SendWriteRecords;
  readonly tables: TableCreator;
  /** Rejects if Timestream cannot be reached with the function's credentials. */
  readonly check: (signal: AbortSignal) => Promise<unknown>;
}

export function timestreamDestination(
  {
    mapping,
    tables: { database },
    bounds,
    metrics,
  }: Pick<ConnectorConfig, 'mapping' | 'tables' | 'bounds' | 'metrics'>,
  { send, tables, check }: TimestreamServices,
  timing: Timing = {},
): Destination {
  const { maxDecompressedBytes, maxLineBytes, maxTagsAndFields, maxNewTables } = bounds;
  const limits = { maxLineBytes, maxTagsAndFields, maxJsonBytes: JSON_BYTES_OF_BODY * maxDecompressedBytes };
  return {
    name: 'timestream',
    prepare({ request: { time }, body, precision }, report) {
      const records = mapLines(body, { ...mapping, ...limits, precision, requestTime: time }, report);
      const tableCounts = metrics?.perTable ? new TableCounts() : undefined;
      const writer = { database, send, tables, maxNewTables, tableCounts, ...timing };
      return async (signal) => {
        const outcome = await writeRecords(records, time, writer, report, signal).finally(() => records.release());
        const { length: points, emptyStrings } = records;
        return { points, ...outcome, emptyStrings, tables: tableCounts?.totals, advice: adviceOf(outcome) };
      };
    },
    check,
  };
}

function adviceOf({ missingTables, failureCode }: RecordsOutcome): string {
  const permanent = permanentCause(failureCode);
  if (permanent !== undefined) return `: ${permanent}. Fix this, then send the request again`;
  const tables =
    missingTables > 0 ? `, because ${number(missingTables, 'table')} must be created first (one per second)` : '';
  const code = failureCode === undefined ? '' : ` (${failureCode})`;
  return ` in time${tables}${code}: send the request again, or send fewer lines per request`;
}
