/** The messages between a reader and its worker thread. A worker does one job at a time. */
import type { CsvFormat } from '../csv/format';
import type { ColumnProfile, SeriesProfile } from '../datasets/inference/profile';
import type { PartitionColumns } from '../datasets/partitions';
import type { ConcreteMapping } from '../datasets/resolve';
import type { BatchLimits, Chunk } from '../points/batch-buffer';
import type { PointsReport, RejectedRow } from '../points/report';
import type { ParquetMetadata } from './metadata';

/** A file: the worker has its end and requests the rest range by range. */
export interface FileRef {
  readonly size: number;
  readonly tail: Uint8Array;
}

export interface InspectJob {
  readonly kind: 'inspect';
  readonly file: FileRef;
}

/** Searches the whole file for facts about columns, and stops as soon as all are known. */
export interface SurveyJob {
  readonly kind: 'survey';
  readonly file: FileRef;
  readonly mapping: ConcreteMapping;
  /** Columns that the file's key supplies. */
  readonly partitions: PartitionColumns;
  /** Field names to look for among the names that the unit's fields use. */
  readonly contested: readonly string[];
  /** Columns to look for a value in. */
  readonly required: readonly string[];
  readonly maxRowGroupBytes: number;
}

export interface PointsJob {
  readonly kind: 'points';
  readonly file: FileRef;
  readonly mapping: ConcreteMapping;
  /** Columns that the file's key supplies. */
  readonly partitions: PartitionColumns;
  /** Of a CSV file, which has no metadata of its own; undefined for Parquet. */
  readonly csv: CsvFormat | undefined;
  readonly taken: readonly string[];
  readonly firstRowGroup: number;
  readonly rowGroups: number;
  readonly limits: BatchLimits;
  /** s since 1970: earlier points are counted. */
  readonly keepFrom?: number | undefined;
  /** Whether distinct points are counted. */
  readonly countDistinct: boolean;
  readonly maxRowGroupBytes: number;
  /** Whether the rows are those of an export, whose accounting must close. */
  readonly isExport: boolean;
  /** Validates only and emits no chunks. */
  readonly dry: boolean;
  readonly rejects: boolean;
  /** Maximum chunks and messages with invalid rows that wait for the consumer before the worker pauses. */
  readonly lookahead: number;
}

/** Tests whether a column of a row group can be decoded, after several columns together could not. */
export interface ProbeJob {
  readonly kind: 'probe';
  readonly file: FileRef;
  readonly rowGroup: number;
  readonly column: string;
  readonly maxRowGroupBytes: number;
}

/** Profiles every column in a sample of the rows. */
export interface ProfileJob {
  readonly kind: 'profile';
  readonly file: FileRef;
  /** Rows of the sample; a little more are possible. */
  readonly sampleRows: number;
  readonly maxRowGroupBytes: number;
}

/** Counts the series in the same sample. */
export interface SeriesJob extends Omit<ProfileJob, 'kind'> {
  readonly kind: 'series';
  readonly tags: readonly string[];
  readonly time: { readonly column: string; readonly unit?: 's' | 'ms' | 'us' | 'ns' };
  /** Columns that the path supplies. */
  readonly partitions: PartitionColumns;
}

export type Job = InspectJob | SurveyJob | PointsJob | ProbeJob | ProfileJob | SeriesJob;

export interface Profile {
  readonly sampledRows: number;
  /** All columns of the file. */
  readonly columns: readonly ColumnProfile[];
}

export interface Survey {
  readonly taken: readonly string[];
  readonly whollyNull: readonly string[];
}

export type ToWorker =
  | { readonly type: 'job'; readonly job: Job }
  | { readonly type: 'range'; readonly id: number; readonly bytes: ArrayBuffer }
  /** A chunk or a message with invalid rows was consumed. */
  | { readonly type: 'taken' }
  /** Invalid rows are from now on only counted. */
  | { readonly type: 'enough-rejects' }
  /** The buffer of a chunk that is no longer in use. */
  | { readonly type: 'spare'; readonly buffer: ArrayBuffer };

export type FromWorker =
  | { readonly type: 'read'; readonly id: number; readonly start: number; readonly end: number }
  | { readonly type: 'chunk'; readonly chunk: Chunk }
  | { readonly type: 'rejects'; readonly rows: readonly RejectedRow[]; readonly omitted: number }
  | { readonly type: 'metadata'; readonly metadata: ParquetMetadata }
  | { readonly type: 'survey'; readonly survey: Survey }
  | { readonly type: 'report'; readonly report: PointsReport }
  | { readonly type: 'probed' }
  | { readonly type: 'profile'; readonly profile: Profile }
  | { readonly type: 'series'; readonly series: SeriesProfile }
  | { readonly type: 'failed'; readonly reason: string; readonly fault: Fault };

/** The cause of a failure: the file, the file in a way that the decoder does not describe, or this program. */
export type Fault = 'file' | 'undecodable' | 'program';

/** Data to start a worker with. `reading`: one word with the row group that it reads, from 0, or -1; readable also after a crash. */
export interface WorkerStart {
  readonly reading: SharedArrayBuffer;
}
