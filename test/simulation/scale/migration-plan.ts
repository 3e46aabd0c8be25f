/** Cuts a synthetic table into windows, and paces their exports, by the code of the product on a virtual clock. */
import { inOrder } from 'shared/loads/in-order';
import { UNLOAD_INTERVAL_MS } from 'shared/migration/services';
import { cutWindows, WINDOW_LIMITS } from 'shared/migration/windows';
import { Pacer } from 'shared/resilience/pacer';
import { VirtualClock } from '../../support/virtual-clock';
import { LOAD_OVERHEAD_SECONDS, S3_SECONDS, UNLOAD_SECONDS } from './rates';

export interface MigrationPlan {
  readonly windows: number;
  /** Bytes of the list of windows in the survey of one table. */
  readonly surveyBytes: number;
  readonly exportSeconds: number;
  /** Reading the record of each window once, as each call of Export does. */
  readonly ledgerSeconds: number;
  /** With one load of a window at a time for each table. */
  readonly loadSeconds: number;
}

const DAY = 86_400_000_000_000n;
/** As `migration/export` and `migration/ledger`. */
const EXPORTS = 4;
const READS = 16;
/** Windows whose export is simulated; further ones take the same time. */
const PACED = 400;
/** Tables that are loaded at the same time. */
const TABLES_AT_ONCE = 4;

/** @param rows of each table, equal on each day */
export async function migrationOf(
  { tables, rows, days }: { readonly tables: number; readonly rows: number; readonly days: number },
  ingestedPerSecond: number,
): Promise<MigrationPlan> {
  const end = BigInt(days) * DAY;
  const perDay = Array.from({ length: days }, (_, day) => ({
    start: BigInt(day) * DAY,
    rows: Math.floor(rows / days) + (day < rows % days ? 1 : 0),
  }));
  const cut = cutWindows(0n, end, perDay);
  const covered = cut.reduce((sum, window) => sum + window.rows, 0);
  if (covered !== rows) throw new Error(`the windows have ${covered} of ${rows} rows`);
  if (cut.some((window) => window.rows > WINDOW_LIMITS.rows)) throw new Error('a window has too many rows');
  const windows = cut.length * tables;
  const atOnce = Math.min(TABLES_AT_ONCE, tables);
  const writing = rows / cut.length / (ingestedPerSecond / atOnce);
  return {
    windows,
    surveyBytes: JSON.stringify(cut).length,
    exportSeconds: (await secondsOfExports(Math.min(windows, PACED))) * Math.max(1, windows / PACED),
    ledgerSeconds: (windows * S3_SECONDS) / READS,
    loadSeconds: (windows / atOnce) * (LOAD_OVERHEAD_SECONDS + writing),
  };
}

async function secondsOfExports(windows: number): Promise<number> {
  const clock = new VirtualClock();
  const pacer = new Pacer(UNLOAD_INTERVAL_MS, clock);
  const unload = async (): Promise<void> => {
    await pacer.turn();
    await clock.delay(UNLOAD_SECONDS * 1000);
  };
  for await (const _ of inOrder(Array.from({ length: windows }), EXPORTS, unload));
  return clock.now() / 1000;
}
