/** The messages between a reader and its worker thread. A worker does one job at a time. */
import type { DatasetMapping } from '../datasets/mapping';
import type { PartitionColumns } from '../datasets/partitions';
import type { BatchLimits, Chunk } from '../points/batch-buffer';
import type { PointsReport, RejectedRow } from '../points/report';
import type { ParquetMetadata } from './metadata';

/** A file, of which the worker has the end and asks for the rest range by range. */
export interface FileRef {
  readonly size: number;
  readonly tail: Uint8Array;
}

export interface InspectJob {
  readonly kind: 'inspect';
  readonly file: FileRef;
}

/** Looks through the whole file for facts about columns, and stops as soon as there is nothing left to find. */
export interface SurveyJob {
  readonly kind: 'survey';
  readonly file: FileRef;
  readonly mapping: DatasetMapping;
  /** Columns that the file's key supplies. */
  readonly partitions: PartitionColumns;
  /** Names of fields to look for among those that the unit's fields take. */
  readonly contested: readonly string[];
  /** Columns to look for a value in. */
  readonly required: readonly string[];
  readonly maxRowGroupBytes: number;
}

export interface PointsJob {
  readonly kind: 'points';
  readonly file: FileRef;
  readonly mapping: DatasetMapping;
  /** Columns that the file's key supplies. */
  readonly partitions: PartitionColumns;
  readonly taken: readonly string[];
  readonly firstRowGroup: number;
  readonly rowGroups: number;
  readonly limits: BatchLimits;
  readonly maxRowGroupBytes: number;
  /** Validates only: nothing is handed over. */
  readonly dry: boolean;
  readonly rejects: boolean;
  /** Chunks handed over and not yet taken, at most, before the worker pauses. */
  readonly lookahead: number;
}

/** Tries whether a column of a row group can be decoded, where several together could not. */
export interface ProbeJob {
  readonly kind: 'probe';
  readonly file: FileRef;
  readonly rowGroup: number;
  readonly column: string;
  readonly maxRowGroupBytes: number;
}

export type Job = InspectJob | SurveyJob | PointsJob | ProbeJob;

export interface Survey {
  readonly taken: readonly string[];
  readonly whollyNull: readonly string[];
}

export type ToWorker =
  | { readonly type: 'job'; readonly job: Job }
  | { readonly type: 'range'; readonly id: number; readonly bytes: ArrayBuffer }
  | { readonly type: 'taken' }
  /** The buffer of a chunk that nobody uses any more. */
  | { readonly type: 'spare'; readonly buffer: ArrayBuffer };

export type FromWorker =
  | { readonly type: 'read'; readonly id: number; readonly start: number; readonly end: number }
  | { readonly type: 'chunk'; readonly chunk: Chunk }
  | { readonly type: 'rejects'; readonly rows: readonly RejectedRow[] }
  | { readonly type: 'metadata'; readonly metadata: ParquetMetadata }
  | { readonly type: 'survey'; readonly survey: Survey }
  | { readonly type: 'report'; readonly report: PointsReport }
  | { readonly type: 'probed' }
  | { readonly type: 'failed'; readonly reason: string; readonly fault: Fault };

/** Who is at fault: the file, the file in a way that the decoder does not tell, or this program. */
export type Fault = 'file' | 'undecodable' | 'program';

/** What a worker is started with: a word in which it keeps the row group that it reads, from 0, or -1, even should it crash. */
export interface WorkerStart {
  readonly reading: SharedArrayBuffer;
}
