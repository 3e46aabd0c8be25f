/** Shows what becomes of lines without storing them: decodes, maps and encodes them with the code of a write. */
import type { ConnectorConfig } from 'shared/config';
import type { Precision } from 'shared/line-protocol/precision';
import { ByteWriter } from 'shared/timestream/byte-writer';
import { LineReport } from 'shared/timestream/line-report';
import { CallEncoder, packRecords } from 'shared/timestream/packing';
import type { RecordSet } from 'shared/timestream/record-set';
import { mapLines } from 'shared/timestream/records';
import { JSON_BYTES_OF_BODY } from '../../functions/write-line-protocol/write';

export interface TriedLine {
  /** Number in the text, from 1. */
  readonly line: number;
  readonly text: string;
  readonly outcome: 'stored' | 'faulty' | 'rejected';
  readonly reason?: string;
  readonly table?: string;
  /** As WriteRecords receives it. Lines of one series and time share a record. */
  readonly record?: object;
}

const RECORD_BYTES = 64 * 1024;

/**
 * @param time the time of lines without a timestamp, and the version of the records, ms since 1970
 * @throws RequestTooLargeError if the lines exceed a limit for a request
 */
export function tryLines(
  text: string,
  precision: Precision,
  time: number,
  { mapping, bounds, tables: { database } }: Pick<ConnectorConfig, 'mapping' | 'bounds' | 'tables'>,
): TriedLine[] {
  const body = Buffer.from(text);
  const found = new Map<number, TriedLine>();
  const textOf = (start: number, end: number): string => body.toString('utf8', start, end).replace(/\r?\n$/, '');
  let faulty = 0;
  const report: LineReport = new LineReport(0, ({ line, reason, start, end }) => {
    const outcome = report.faultyLines > faulty ? 'faulty' : 'rejected';
    faulty = report.faultyLines;
    found.set(line, { line, text: textOf(start, end), outcome, reason });
  });
  const { maxLineBytes, maxTagsAndFields, maxDecompressedBytes } = bounds;
  const maxJsonBytes = JSON_BYTES_OF_BODY * maxDecompressedBytes;
  const limits = { maxLineBytes, maxTagsAndFields, maxJsonBytes };
  const records = mapLines(body, { ...mapping, ...limits, precision, requestTime: time }, report);
  try {
    const { batches, mergedRecords } = packRecords(records, report);
    const encoder = new RecordEncoder(records, database, time);
    for (const { table, records: packed } of batches) {
      for (const record of packed) {
        const shown = encoder.encode(table, record);
        for (const each of mergedRecords.get(record) ?? [record]) {
          const { line, start, end } = records.place(each);
          found.set(line, { line, text: textOf(start, end), outcome: 'stored', table: table.name, record: shown });
        }
      }
    }
  } finally {
    records.release();
  }
  return [...found.values()].sort((a, b) => a.line - b.line);
}

/** Encodes single records as a call does, with all attributes of the record in one object. */
class RecordEncoder {
  private readonly encoder: CallEncoder;

  constructor(
    records: RecordSet,
    database: string,
    private readonly version: number,
  ) {
    this.encoder = new CallEncoder(records, database);
  }

  encode(table: { readonly name: string }, record: number): object {
    const body = ByteWriter.borrow(RECORD_BYTES);
    try {
      const call = JSON.parse(
        this.encoder.encode({ table, records: Int32Array.of(record) }, this.version, body).toString(),
      ) as { CommonAttributes: object; Records: [object] };
      return { ...call.CommonAttributes, ...call.Records[0] };
    } finally {
      body.release();
    }
  }
}
