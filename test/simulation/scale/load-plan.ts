/** Runs PlanLoad, part after part as the state machine does, over a listing of synthetic files, and counts what the workflow carries. */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import type { ObjectStore, ObjectVersion } from 'shared/loads/objects';
import { type PlanResult, planLoad } from 'shared/loads/plan-load';
import { readFooter } from 'shared/parquet/footer';
import type { ParquetMetadata, RowGroupInfo } from 'shared/parquet/metadata';
import { PARQUET_BYTES, PART_BYTES, PLAN_SECONDS, PLAN_SECONDS_PER_FILE, ROW_GROUP_ROWS } from './rates';

/** A prefix with files of equal size. */
export interface Listing {
  readonly files: number;
  readonly rowsPerFile: number;
}

export interface LoadPlan {
  readonly items: number;
  readonly parts: number;
  /** Bytes of all parts of the plan in the work bucket. */
  readonly planBytes: number;
  /** CPU seconds of all calls of PlanLoad. */
  readonly planSeconds: number;
  /** Bytes of the input of SummarizeLoad, the largest of the workflow. */
  readonly stateBytes: number;
  /** Events in the history of the execution, without retries. */
  readonly events: number;
}

/** Events of Step Functions: entered, scheduled, started, succeeded, exited; entered, exited; entered, started, succeeded, exited. */
const EVENTS = { task: 5, choice: 2, map: 4 };
/** ExecutionStarted, DetectDataset, SkipIgnoredObject, CheckInfluxDB, SummarizeLoad, JudgeSummary, LoadSucceeded, ExecutionSucceeded. */
const EVENTS_AROUND = 1 + 3 * EVENTS.task + 3 * EVENTS.choice + 1;
/** PlanLoad, SkipEmptyPlan, LoadBatches, ContinuePlan. */
const EVENTS_OF_PART = EVENTS.task + EVENTS.choice + EVENTS.map + EVENTS.choice;

const LOAD_ID = '5f1c7a52-3d0e-4a0c-9a52-0c8f3f2f9b11';
const FOOTER = 'test/fixtures/parquet/codec-snappy.parquet';
const PAGE = 1_000;

/**
 * Plans the listing by the code of the product, or a part of at least `sample` files, if it has more. Files are planned one by one, and a part
 * ends by its size or its time, so further parts are as the one that was planned.
 */
export async function planOf(listing: Listing, sample = listing.files): Promise<LoadPlan> {
  const source = { bucket: 'energy-data', prefix: 'generation/' };
  const load = { loadId: LOAD_ID, source, dataset: null, toleratedFailurePercentage: 0, maxConcurrency: 10 };
  const metadata = metadataOf(listing);
  const parts: object[] = [];
  let result: PlanResult | undefined;
  let [files, items, planBytes] = [0, 0, 0];
  const onWrite = (bytes: number): void => {
    planBytes += bytes;
  };
  do {
    const deadline = new AbortController();
    let inspected = 0;
    const inspect = (): Promise<ParquetMetadata> => {
      inspected += 1;
      if (files + inspected > sample || inspected * PLAN_SECONDS_PER_FILE >= PLAN_SECONDS) deadline.abort();
      return Promise.resolve(metadata);
    };
    result = await planLoad(
      { load, part: parts.length, continuation: result?.continuation ?? null },
      {
        objects: storeOf(listing, onWrite),
        reader: { inspect, survey: () => Promise.resolve({ taken: [], whollyNull: [] }) },
        mappings: BUILT_IN_MAPPINGS,
        validateSchema: true,
        workBucket: 'stack-workbucket-1a2b3c4d5e6f7',
        deadline: deadline.signal,
        planBytes: PART_BYTES,
      },
    );
    files += result.files;
    items += result.items;
    parts.push(partOf(result));
  } while (result.continuation !== null && sample === listing.files);

  const times = listing.files / files;
  const planSeconds = listing.files * PLAN_SECONDS_PER_FILE;
  const count =
    times === 1 ? parts.length : Math.ceil(Math.max((planBytes * times) / PART_BYTES, planSeconds / PLAN_SECONDS));
  const around = JSON.stringify({ load, parts: [], error: null }).length;
  return {
    items: Math.round(items * times),
    parts: count,
    planBytes: planBytes * times,
    planSeconds,
    stateBytes: around + ((JSON.stringify(parts).length - 2) / parts.length) * count,
    events: EVENTS_AROUND + EVENTS_OF_PART * count,
  };
}

/** What the state machine keeps of a part (`parts` of LoadBatches). */
const partOf = (plan: PlanResult): object => ({
  plan,
  error: null,
  results: {
    bucket: plan.plan.bucket,
    manifestKey: `loads/${LOAD_ID}/results-${plan.part}/0b6d6a7e-9a83-3bd2-8d6e-6d9dcb1f6a58/manifest.json`,
  },
});

/** The footer of a real file, with the row groups of a larger one. */
function metadataOf({ rowsPerFile }: Listing): ParquetMetadata {
  const bytes = readFileSync(FOOTER);
  const { columns } = readFooter(bytes, bytes.length);
  const rowGroups: RowGroupInfo[] = [];
  for (let left = rowsPerFile; left > 0; left -= ROW_GROUP_ROWS) {
    const rows = Math.min(left, ROW_GROUP_ROWS);
    const compressed = Math.round((rows * PARQUET_BYTES) / columns.length);
    const chunk = { start: 4, compressed, uncompressed: compressed, codec: 'SNAPPY' as const, encodings: [] };
    rowGroups.push({ rows, chunks: new Map(columns.map(({ name }) => [name, chunk])) });
  }
  return { rows: rowsPerFile, columns, rowGroups };
}

function storeOf({ files, rowsPerFile }: Listing, onWrite: (bytes: number) => void): ObjectStore {
  const unused = (): never => {
    throw new Error('planning a prefix does not call this');
  };
  const keyOf = (index: number): string => {
    const year = 2000 + Math.floor((index * 25) / files);
    return `generation/year=${year}/part-${String(index).padStart(9, '0')}.snappy.parquet`;
  };
  const etag = '"3b99dfd06f84ab05d8a714db9d23d773"';
  function* pages(bucket: string, after: string | undefined): Generator<ObjectVersion[]> {
    const first = after === undefined ? 0 : Number(/part-(\d+)/.exec(after)?.[1]) + 1;
    for (let start = first; start < files; start += PAGE) {
      const keys = Array.from({ length: Math.min(PAGE, files - start) }, (_, index) => keyOf(start + index));
      yield keys.map((key) => ({ bucket, key, etag, size: rowsPerFile * PARQUET_BYTES }));
    }
  }
  return {
    nameOf: ({ bucket, key }) => `s3://${bucket}/${key}`,
    list: (bucket, _prefix, after) => Readable.from(pages(bucket, after)),
    open: (version) =>
      Promise.resolve({
        name: version.key,
        size: version.size,
        etag: version.etag,
        readRange: unused,
        close: () => Promise.resolve(),
      }),
    write: (_ref, body) => {
      onWrite(body.length);
      return Promise.resolve();
    },
    find: unused,
    read: unused,
  };
}
