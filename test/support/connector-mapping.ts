/** Helpers for tests of mapping, packing and writing: line protocol to records, to calls. */
import { NANOSECONDS } from 'shared/line-protocol/precision';
import { LineReport } from 'shared/line-report';
import { ByteWriter } from 'shared/timestream/byte-writer';
import { CallEncoder, packRecords } from 'shared/timestream/packing';
import type { RecordSet } from 'shared/timestream/record-set';
import { type MappingOptions, mapLines } from 'shared/timestream/records';
import { expandCall, type PlainCall } from './timestream-calls';

/** 2024-03-01T12:34:56.789Z: not a whole second, minute or hour. */
export const REQUEST_TIME = Date.UTC(2024, 2, 1, 12, 34, 56, 789);
export const DATABASE = 'influxdb-line-protocol';

/** The mapping of a connector with default settings. */
export const MAPPING: MappingOptions = {
  singleTable: undefined,
  measureName: 'influxdb-measure',
  defaultDimension: undefined,
  requiredDimension: undefined,
  escapeNames: false,
  suffixedFields: [],
  precision: NANOSECONDS,
  requestTime: REQUEST_TIME,
  maxLineBytes: 65_536,
  maxTagsAndFields: 100_000,
  maxJsonBytes: 104_857_600,
};

export interface MappedLines {
  readonly records: RecordSet;
  readonly report: LineReport;
}

export function mapText(text: string | Uint8Array, options: Partial<MappingOptions> = {}): MappedLines {
  const report = new LineReport();
  return { records: mapLines(Buffer.from(text), { ...MAPPING, ...options }, report), report };
}

export interface PackedLines extends MappedLines {
  /** The bodies that would be sent. */
  readonly bodies: readonly Buffer[];
  readonly calls: readonly PlainCall[];
}

/** Lines to calls, in the order without failures. */
export function packText(text: string | Uint8Array, options: Partial<MappingOptions> = {}, version = 1): PackedLines {
  const mapped = mapText(text, options);
  const { batches } = packRecords(mapped.records, mapped.report);
  const encoder = new CallEncoder(mapped.records, DATABASE);
  const bodies = batches.map((batch) =>
    Buffer.from(encoder.encode(batch, version, new ByteWriter(Buffer.allocUnsafeSlow(16)))),
  );
  return { ...mapped, bodies, calls: bodies.map(expandCall) };
}

/** The reasons of refused lines, in order. */
export const reasonsOf = ({ report }: MappedLines): string[] => report.reasons().map(({ reason }) => reason);
