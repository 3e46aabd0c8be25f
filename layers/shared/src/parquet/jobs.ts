/** The worker's jobs on a file's rows: survey or profile columns, turn rows into points, or test whether a column can be decoded. */
import type { SeriesProfile } from '../datasets/inference/profile';
import { BatchBuffer, type Chunk } from '../points/batch-buffer';
import { cellText } from '../points/cell-text';
import { Cell } from '../points/cells';
import { ColumnProfiler, limitValues } from '../points/column-profiler';
import { constantColumn, lackingColumns } from '../points/constants';
import { emptyCounts } from '../points/counts';
import { escapeKey, isNoTag, storedTag } from '../points/escape';
import { fieldName } from '../points/fields';
import { hashPair, hashText } from '../points/hyperloglog';
import { PointsEncoder } from '../points/points-encoder';
import type { PointsReport, RejectedRow } from '../points/report';
import { columnsToRead, namedFields, unsuitedColumns } from '../points/schema';
import { TextIds } from '../points/text-ids';
import { TimeReader } from '../points/times';
import { type ArrowColumn, isValid } from './c-data';
import type { ParquetMetadata } from './metadata';
import type { PointsJob, ProbeJob, Profile, ProfileJob, SeriesJob, Survey, SurveyJob } from './protocol';
import { BATCH_ROWS } from './slice-size';
import type { ParquetTables } from './tables';

export interface PointsOutput {
  chunk(chunk: Chunk): void;
  /** The buffer of a chunk that is no longer in use, to be written again. */
  spare(): ArrayBuffer | undefined;
  /** @param omitted invalid rows that are not in `rows`, because the consumer wants no more */
  rejects(rows: readonly RejectedRow[], omitted: number): void;
  wantsRejects(): boolean;
  /** Awaited between record batches; undefined while the consumer keeps up. */
  pause(): Promise<void> | undefined;
}

/** Rows as record batches: of a Parquet or a CSV file. */
export type RowSource = Pick<ParquetTables, 'forEachBatch'> & { readonly metadata: Pick<ParquetMetadata, 'columns'> };

export async function encodePoints(tables: RowSource, job: PointsJob, output: PointsOutput): Promise<PointsReport> {
  const { columns } = tables.metadata;
  let rejected: RejectedRow[] = [];
  let omitted = 0;
  const buffer = new BatchBuffer(job.limits, job.dry ? undefined : output.chunk, output.spare);
  const encoder = new PointsEncoder(
    {
      mapping: job.mapping,
      columns,
      partitions: job.partitions,
      taken: job.taken,
      isExport: job.isExport,
      buffer,
      keepFrom: job.keepFrom,
      countDistinct: job.countDistinct,
      onReject: job.rejects
        ? (render) => {
            if (output.wantsRejects()) rejected.push(render());
            else omitted++;
          }
        : undefined,
    },
    BATCH_ROWS,
  );
  await tables.forEachBatch(
    job,
    columnsToRead(columns, job.mapping),
    (batch) => {
      encoder.encode(batch.columns, batch.rows, batch.firstRow);
      if (rejected.length + omitted > 0) output.rejects(rejected, omitted);
      rejected = [];
      omitted = 0;
    },
    output.pause,
  );
  buffer.flush();
  return encoder.report();
}

export async function surveyFile(tables: ParquetTables, job: SurveyJob): Promise<Survey> {
  const { rows, rowGroups, columns } = tables.metadata;
  const contested = new Set(job.contested);
  const empty = new Set(job.required);
  const taken: string[] = [];
  const constants = lackingColumns(columns, job.partitions);
  const named = namedFields(columns, job.mapping, job.partitions);
  const unsuited = unsuitedColumns(columns, job.mapping);
  /** The file's columns that can name a field. */
  const naming = new Set(columns.filter((column) => !unsuited.includes(column)).map(({ name }) => name));
  const ids = new Int32Array(BATCH_ROWS);
  const take = (name: string | undefined) => {
    if (name !== undefined && contested.delete(name)) taken.push(name);
  };
  const nullConstants: string[] = [];
  for (const [column, value] of constants) {
    if (empty.delete(column) && value === null) nullConstants.push(column);
  }
  // A constant names the field in all rows; without the column, the field has its other name in all rows.
  for (const field of named) if (!naming.has(field.by)) take(fieldName(field, constants.get(field.by)));
  const unknown = named.filter(({ by }) => naming.has(by));
  if (unknown.length === 0) contested.clear();

  for (const [group, { chunks }] of rowGroups.entries()) {
    if (contested.size === 0 && empty.size === 0) break;
    const wanted = new Set([...empty, ...(contested.size > 0 ? unknown.map(({ by }) => by) : [])]);
    // Without unknown names, only columns with a value are of interest.
    if (contested.size === 0 && ![...wanted].some((name) => chunks.has(name))) continue;
    await tables.forEachBatch(
      { firstRowGroup: group, rowGroups: 1, maxRowGroupBytes: job.maxRowGroupBytes },
      [...wanted],
      (batch) => {
        const present = new Map(batch.columns.map((column) => [column.name, column]));
        for (const name of empty) {
          const column = present.get(name);
          if (column && hasValue(column)) empty.delete(name);
        }
        if (contested.size === 0) return;
        for (const field of unknown)
          for (const text of textsOf(present.get(field.by), ids)) take(fieldName(field, text));
      },
      () => undefined,
    );
  }
  return { taken: taken.sort(), whollyNull: rows === 0 ? [] : [...empty, ...nullConstants] };
}

/** Decodes a column of a row group and drops the result. Rejects if it cannot be decoded. */
export async function probeColumn(tables: ParquetTables, job: ProbeJob): Promise<void> {
  const range = { firstRowGroup: job.rowGroup, rowGroups: 1, maxRowGroupBytes: job.maxRowGroupBytes };
  const ignore = () => undefined;
  await tables.forEachBatch(range, [job.column], ignore, ignore);
}

export async function profileFile(tables: ParquetTables, job: ProfileJob): Promise<Profile> {
  const { columns } = tables.metadata;
  const profilers = new Map(columns.map((column) => [column.name, new ColumnProfiler(column)]));
  const all = [...profilers.values()];
  let sampledRows = 0;
  await tables.forEachSampleBatch(
    job,
    columns.map(({ name }) => name),
    (batch) => {
      sampledRows += batch.rows;
      for (const column of batch.columns) {
        profilers.get(column.name)?.read(column);
        limitValues(all);
      }
    },
  );
  return { sampledRows, columns: all.map((profiler) => profiler.profile(sampledRows)) };
}

/** Counts the distinct combinations of tags, and the rows that would overwrite another row. Missing tags count as a value. */
export async function countSeries(tables: ParquetTables, job: SeriesJob): Promise<SeriesProfile> {
  // Texts of many tags would take much memory.
  const series = new Set<number>();
  const points = new Set<number>();
  const constants = lackingColumns(tables.metadata.columns, job.partitions);
  const times = new TimeReader(job.time);
  let timed = 0;
  await tables.forEachSampleBatch(job, [...job.tags, job.time.column], (batch) => {
    const columns = new Map(batch.columns.map((column) => [column.name, column]));
    const columnOf = (name: string): ArrowColumn | undefined => {
      const constant = constants.get(name);
      return constant === undefined ? columns.get(name) : constantColumn(name, constant, batch.rows);
    };
    const tags = job.tags.map((name) => {
      const column = columnOf(name);
      return column && cellText(column, column.type.kind === 'bytes' ? 'hex' : undefined);
    });
    const time = columnOf(job.time.column);
    const { seconds, nanos, states } = emptyCounts(batch.rows);
    if (time) times.read(time, { seconds, nanos, states });
    for (let row = 0; row < batch.rows; row++) {
      const combination = hashText(JSON.stringify(tags.map((textAt) => storedText(textAt?.(row) ?? ''))));
      series.add(combination);
      if (!time || states[row] !== Cell.ok) continue;
      timed++;
      points.add(hashPair(combination, hashText(`${seconds[row]}.${nanos[row]}`)));
    }
  });
  return { series: [...series], points: [...points], duplicates: timed - points.size };
}

/** An optional tag's value as InfluxDB stores it; null for no tag. */
const storedText = (value: string): string | null => (isNoTag(value) ? null : escapeKey(storedTag(value)) || null);

/** The distinct texts of a record batch; undefined stands for a missing one. */
function textsOf(column: ArrowColumn | undefined, ids: Int32Array): (string | null | undefined)[] {
  if (!column) return [undefined];
  const texts = new TextIds();
  texts.read(column, ids);
  return [...new Set(ids.subarray(0, column.length))].map((id) => texts.valueOf(id));
}

function hasValue(column: ArrowColumn): boolean {
  if (column.type.kind === 'null') return false;
  for (let row = 0; row < column.length; row++) if (isValid(column, row)) return true;
  return false;
}
