/** Stores the lines of one write request and returns the outcome. */
import type { ConnectorConfig } from 'shared/config';
import type { ConnectorMetrics } from 'shared/connector-metrics';
import { type Precision, V1_PRECISIONS, V2_PRECISIONS } from 'shared/line-protocol/precision';
import type { Logger } from 'shared/logger';
import { type LineReason, LineReport } from 'shared/timestream/line-report';
import { type RecordsOutcome, TableCounts } from 'shared/timestream/record-ledger';
import { mapLines } from 'shared/timestream/records';
import type { SendWriteRecords } from 'shared/timestream/service';
import type { TableCreator } from 'shared/timestream/tables';
import { writeRecords } from 'shared/timestream/writer';
import type { RejectedLine } from './rejected-lines';
import { type HttpRequest, readBody } from './request';
import { ApiError } from './responses';

/** Limit for the JSON of all records, as a multiple of the limit for a body. Most bodies need twice their own size. */
export const JSON_BYTES_OF_BODY = 4;

export interface WriteServices {
  readonly config: ConnectorConfig;
  readonly send: SendWriteRecords;
  readonly tables: TableCreator;
  readonly logger: Logger;
  /** Receives the totals of each write; undefined for no metrics. */
  readonly metrics?: ConnectorMetrics | undefined;
  /** Called with the result of each request and its decompressed body. The local server shows them. */
  readonly onResult?: (result: RequestResult, body: Buffer) => void;
}

export interface RequestResult {
  /** Lines with a point, and invalid lines. */
  readonly lines: number;
  readonly outcome: RecordsOutcome;
  /** The lines that cannot be stored. */
  readonly report: LineReport;
}

/**
 * The precision of the request's timestamps.
 * @throws ApiError 400 for a precision that the API version of the path does not have
 */
export function requestPrecision({ path, query }: Pick<HttpRequest, 'path' | 'query'>): Precision {
  const v1 = path === '/write';
  const name = query.get('precision') ?? 'ns';
  const precision = (v1 ? V1_PRECISIONS : V2_PRECISIONS).get(name === '' ? 'ns' : name);
  if (precision !== undefined) return precision;
  const units = v1 ? 'n, ns, u, us, ms, s, m, and h' : 'ns, us, ms, and s';
  throw new ApiError(400, 'invalid', `invalid precision; valid precision units are ${units}`);
}

/**
 * Stores the points of the request, until the signal aborts. When it returns, the outcome of every point is known.
 * @param onRejected called with every line that cannot be stored, as it is found
 * @throws ApiError, RequestTooLargeError if the request cannot be read
 */
export async function writeLines(
  request: HttpRequest,
  services: WriteServices,
  signal: AbortSignal,
  onRejected?: (line: RejectedLine) => void,
): Promise<RequestResult> {
  const { config, logger, send, tables, metrics } = services;
  const started = performance.now();
  const precision = requestPrecision(request);
  const body = await readBody(request, config.bounds);
  const report = new LineReport(undefined, onRejected && ((found) => onRejected(withText(found, body))));
  const { maxDecompressedBytes, maxLineBytes, maxTagsAndFields } = config.bounds;
  const maxJsonBytes = JSON_BYTES_OF_BODY * maxDecompressedBytes;
  const mapping = {
    ...config.mapping,
    precision,
    requestTime: request.time,
    maxLineBytes,
    maxTagsAndFields,
    maxJsonBytes,
  };
  const records = mapLines(body, mapping, report);
  const lines = records.length + report.faultyLines + report.rejectedLines;
  const tableCounts = metrics?.perTable ? new TableCounts() : undefined;
  const { maxNewTables } = config.bounds;
  const writer = { database: config.tables.database, send, tables, maxNewTables, tableCounts };
  const outcome = await writeRecords(records, request.time, writer, report, signal).finally(() => records.release());
  const milliseconds = performance.now() - started;
  const { faultyLines, rejectedLines } = report;
  logger[outcome.unstored > 0 ? 'warn' : 'info']('write', {
    bytes: body.length,
    points: records.length,
    ...outcome,
    faultyLines,
    rejectedLines,
    emptyStrings: records.emptyStrings,
    milliseconds: Math.round(milliseconds),
  });
  const totals = {
    pointsStored: outcome.stored,
    pointsSuperseded: outcome.superseded,
    pointsUnstored: outcome.unstored,
    rejectedLines,
    faultyLines,
    calls: outcome.calls,
    throttledCalls: outcome.throttledCalls,
    newTables: outcome.newTables,
    requestBytes: body.length,
    duration: milliseconds,
  };
  metrics?.record('timestream', totals, tableCounts?.totals);
  const result = { lines, outcome, report };
  services.onResult?.(result, body);
  return result;
}

function withText({ line, start, end, reason }: LineReason, body: Buffer): RejectedLine {
  const text = body
    .subarray(start, end)
    .toString()
    .replace(/\r?\n$/, '');
  return { line, reason, text };
}
