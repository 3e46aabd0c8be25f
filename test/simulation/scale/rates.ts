/** What the simulations of large loads assume. Rates are measured (docs/performance.md, docs/adr/writes-in-flight.md); the rest says so. */

/** CPU time of PlanLoad per file, s. */
export const PLAN_SECONDS_PER_FILE = 0.0027;
/** Size at which PlanLoad ends a part, bytes. */
export const PART_BYTES = 64 * 1024 * 1024;
/** PlanLoad ends a part one minute before its timeout of 900 s. */
export const PLAN_SECONDS = 840;
/** CPU time of SummarizeLoad per item, s: its results of 1.5 KB each, in files that the map wrote. 240,000 items in a part take 181 MB. */
export const SUMMARY_SECONDS_PER_ITEM = 0.000045;
/** Rows that a function with one CPU reads, encodes and compresses (gzip 1) per second. */
export const ENCODED_ROWS_PER_SECOND = 1e6 / 1.42;
/** Bytes of line protocol per row of the generation dataset. */
export const LINE_BYTES = 183;
/** Compressed bytes per row of the same rows in Parquet. */
export const PARQUET_BYTES = 8;
/** Rows per row group as DuckDB writes them. */
export const ROW_GROUP_ROWS = 122_880;
/** Rows per second that InfluxDB 3.7 Core stored on two cores. */
export const INGESTED_ROWS_PER_SECOND = 142_000;
/** Memory of the loader's functions, MB: the default of LoaderMemorySize. */
export const LOADER_MEGABYTES = 1769;

/** Assumed: reading an object of 1 KB from S3, s. */
export const S3_SECONDS = 0.02;
/** Assumed: one UNLOAD of a window of 5,000,000 rows, s. */
export const UNLOAD_SECONDS = 30;
/** Assumed: the steps of a load besides reading and writing rows, and their cold starts, s. */
export const LOAD_OVERHEAD_SECONDS = 15;

/** Assumed: starting the child execution and the function of an item, s. */
export const ITEM_OVERHEAD_SECONDS = 1;
/** The default of `maxConcurrency`. */
export const ITEMS_AT_ONCE = 10;

/** Limits of Step Functions: bytes of an input, and events of an execution. */
export const STATE_BYTES = 256 * 1024;
export const HISTORY_EVENTS = 25_000;
