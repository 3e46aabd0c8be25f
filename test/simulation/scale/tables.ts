/** The tables of docs/scale.md, by their names. */
import { grouped } from 'shared/count-text';
import { WINDOW_LIMITS } from 'shared/migration/windows';
import { code, table } from '../../../reference/markdown';
import { connectorLoad, type Requests } from './connector-load';
import { type Pace, type PaceResult, paceOf } from './load-pace';
import { type Listing, planOf } from './load-plan';
import { migrationOf } from './migration-plan';
import {
  HISTORY_EVENTS,
  INGESTED_ROWS_PER_SECOND,
  ITEM_OVERHEAD_SECONDS,
  ITEMS_AT_ONCE,
  LOADER_MEGABYTES,
  STATE_BYTES,
  SUMMARY_SECONDS_PER_ITEM,
} from './rates';

const REQUESTS: readonly Requests[] = [
  { perSecond: 1, lines: 1, megabytes: 128 },
  { perSecond: 1, lines: 5_000, megabytes: 128 },
  { perSecond: 1_000, lines: 1, megabytes: 128 },
  { perSecond: 1_000, lines: 5_000, megabytes: 128 },
  { perSecond: 1_000, lines: 5_000, megabytes: 1_769 },
  { perSecond: 1_000_000, lines: 1, megabytes: 128 },
  { perSecond: 200, lines: 5_000, megabytes: 1_769 },
  { perSecond: 1_000_000, lines: 5_000, megabytes: 1_769 },
];

/** Listings of 10^9 and of 10^12 rows. Of small files the first ones are planned. */
const LISTINGS: readonly (readonly [Listing, number?])[] = [
  [{ files: 500, rowsPerFile: 2_000_000 }],
  [{ files: 100_000, rowsPerFile: 10_000 }, 10_000],
  [{ files: 10_000, rowsPerFile: 100_000_000 }],
  [{ files: 10_000_000, rowsPerFile: 100_000 }, 10_000],
  [{ files: 100_000_000, rowsPerFile: 10_000 }, 10_000],
];

const SLOW = INGESTED_ROWS_PER_SECOND;
const FAST = 10 * SLOW;
const PACES: readonly Pace[] = [
  { items: 1, writes: 4, capacity: SLOW },
  { items: 1, writes: 16, capacity: SLOW },
  { items: 10, writes: 16, capacity: SLOW },
  { items: 20, writes: 16, capacity: SLOW },
  { items: 10, writes: 16, capacity: SLOW, refusesAbove: 5 },
  { items: 20, writes: 16, capacity: SLOW, refusesAbove: 5 },
  { items: 10, writes: 16, capacity: FAST },
  { items: 20, writes: 16, capacity: FAST },
];

const TABLES = [
  { tables: 1, rows: 1e9, days: 365 },
  { tables: 100, rows: 1e7, days: 365 },
  { tables: 1, rows: 1e12, days: 365 },
  { tables: 100, rows: 1e10, days: 365 },
];

/** Each table as Markdown. The same in every run: rates are given, and random numbers have a seed. */
export async function scaleTables(): Promise<Record<string, string>> {
  return {
    connector: connectorTable(),
    plan: await planTable(),
    pace: await paceTable(),
    migration: await migrationTable(),
  };
}

function connectorTable(): string {
  const rows = REQUESTS.map((requests) => {
    const load = connectorLoad(requests);
    return [
      grouped(requests.perSecond),
      grouped(requests.lines),
      `${grouped(requests.megabytes)} MB`,
      `${grouped(load.milliseconds)} ms`,
      atLeastOne(load.concurrency),
      grouped(load.callsPerSecond),
      grouped(load.unitsPerSecond),
      load.exceeded.map(({ limit, times }) => `${limit} (${factor(times)})`).join('; ') || 'none',
    ];
  });
  const head = [
    'requests/s',
    'lines each',
    'memory',
    'duration',
    'concurrency',
    'calls/s',
    'KiB units/s',
    'defaults exceeded',
  ];
  return table(head, rows);
}

async function planTable(): Promise<string> {
  const rows: string[][] = [];
  for (const [listing, sample] of LISTINGS) {
    const plan = await planOf(listing, sample);
    rows.push([
      power(listing.files * listing.rowsPerFile),
      `${grouped(listing.files)} of ${grouped(listing.rowsPerFile)} rows`,
      grouped(plan.items),
      grouped(plan.parts),
      size(plan.planBytes),
      duration(plan.planSeconds),
      `${percent(plan.stateBytes / STATE_BYTES)}`,
      `${percent(plan.events / HISTORY_EVENTS)}`,
      duration((plan.items * ITEM_OVERHEAD_SECONDS) / ITEMS_AT_ONCE),
      duration(plan.items * SUMMARY_SECONDS_PER_ITEM),
    ]);
  }
  const head = [
    'rows',
    'files',
    'items',
    'parts',
    'plan',
    'PlanLoad',
    'state of 256 KiB',
    'history of 25,000 events',
    'starting the items',
    'SummarizeLoad',
  ];
  return table(head, rows);
}

async function paceTable(): Promise<string> {
  const rows: string[][] = [];
  for (const pace of PACES) {
    const result = await paceOf(pace, seeded(1));
    rows.push([
      String(pace.items),
      String(pace.writes),
      `${grouped(pace.capacity)} rows/s${pace.refusesAbove === undefined ? '' : `, 429 above ${pace.refusesAbove} s`}`,
      grouped(result.rowsPerSecond),
      `${result.slowest.toFixed(1)} s`,
      result.retriesPerWrite.toFixed(2),
      String(result.failedItems),
      ...[1e9, 1e12].map((total) => duration(total / result.rowsPerSecond)),
      grouped(gigabyteSeconds(pace, result)),
    ]);
  }
  const head = [
    'items',
    'writes',
    'InfluxDB',
    'rows/s',
    'slowest write',
    'retries per write',
    'failed items',
    '10^9 rows',
    '10^12 rows',
    'GB-s per 10^9 rows',
  ];
  return table(head, rows);
}

async function migrationTable(): Promise<string> {
  const rows: string[][] = [];
  for (const tables of TABLES) {
    const plan = await migrationOf(tables, INGESTED_ROWS_PER_SECOND);
    rows.push([
      power(tables.tables * tables.rows),
      grouped(tables.tables),
      grouped(plan.windows),
      grouped((tables.tables * tables.rows) / plan.windows),
      size(plan.surveyBytes),
      duration(plan.exportSeconds),
      duration(plan.ledgerSeconds),
      duration(plan.loadSeconds),
    ]);
  }
  const head = [
    'rows',
    'tables',
    'windows',
    `rows each (limit ${grouped(WINDOW_LIMITS.rows)})`,
    `${code('windows')} of a table`,
    'Export',
    'reading the ledger',
    'Load',
  ];
  return table(head, rows);
}

/** Of the memory that the items take while they wait for InfluxDB. */
const gigabyteSeconds = ({ items }: Pace, { rowsPerSecond }: PaceResult): number =>
  (items * (1e9 / rowsPerSecond) * LOADER_MEGABYTES) / 1024;

const power = (rows: number): string => `10^${Math.round(Math.log10(rows))}`;
const size = (bytes: number): string => (bytes < 1e6 ? `${grouped(bytes / 1e3)} KB` : `${grouped(bytes / 1e6)} MB`);
const percent = (share: number): string => `${share < 0.01 ? '< 1' : grouped(share * 100)} %`;
const factor = (times: number): string => `${times < 10 ? times.toFixed(1) : grouped(times)} times`;
const atLeastOne = (count: number): string => grouped(Math.max(1, count));

function duration(seconds: number): string {
  if (seconds < 0.1) return '< 0.1 s';
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : grouped(seconds)} s`;
  if (seconds < 2 * 3600) return `${grouped(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${grouped(seconds / 3600)} h` : `${grouped(seconds / 86_400)} days`;
}

/** Random numbers in [0, 1): the linear congruential generator of Numerical Recipes. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
