/** Leaves the progress of a load or migration in a small file, for the console of `start`. */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrationStep, Run, RunFile } from './run';

/** The file is renewed in this interval, also without progress: a reader then knows that the run goes on. */
const INTERVAL_MS = 1_000;
/** Files of earlier runs that are kept. */
const MAX_FILES = 50;
const MAX_CAUSES = 20;
const MAX_CAUSE = 500;
/** Of the report, in characters. The report itself is in its own file. */
const MAX_REPORT = 20_000;
const MAX_SOURCE = 1_000;

export interface RunAbout extends Pick<Run, 'id' | 'kind' | 'source' | 'target'> {
  /** The folder of the files, of all runs. */
  readonly folder: string;
  /** Whether a migration compares no window, so that none counts as verified. */
  readonly isUnverified?: boolean;
}

/** The end of a run. Counts replace those so far, which are not exact for items that failed. */
export interface RunEnd extends Pick<Run, 'status'> {
  readonly items?: Run['items'];
  readonly points?: Run['points'];
  readonly causes?: Run['causes'];
  readonly report?: string;
}

type WindowCounts = Pick<NonNullable<Run['migration']>, 'exported' | 'verified'>;

export class RunRecorder {
  private items = { done: 0, total: 0, failed: 0 };
  private points = { written: 0, rejected: 0, failed: 0 };
  private readonly causes = new Map<string, number>();
  private migration: Run['migration'] = null;
  private readonly started = Date.now();
  /** When points were loaded, ms since 1970. */
  private loading: { readonly from: number; readonly to?: number } = { from: this.started };
  private readonly file: string;
  private readonly timer: NodeJS.Timeout;

  /** Starts to write the file. A folder that cannot be written to is no reason to stop a load: the console then lacks it. */
  constructor(private readonly about: RunAbout) {
    const { folder, kind } = about;
    const time = new Date(this.started).toISOString().replace(/[:.]/g, '-');
    this.file = join(folder, `${time}-${kind}-${process.pid}.json`);
    try {
      mkdirSync(folder, { recursive: true });
      removeOld(folder);
    } catch {
      // Writing the file fails too, and is ignored too.
    }
    this.write('running', null);
    this.timer = setInterval(() => this.write('running', null), INTERVAL_MS);
    this.timer.unref();
  }

  setItems(items: Run['items']): void {
    this.items = { ...items };
  }

  addItems(total: number): void {
    this.items.total += total;
  }

  /** Begins a step of a migration. */
  setStep(step: MigrationStep): void {
    const now = Date.now();
    if (step === 'load') this.loading = { from: now };
    else if (this.migration?.step === 'load') this.loading = { ...this.loading, to: now };
    this.migration = { exported: 0, verified: 0, ...this.migration, step };
  }

  /** Counts windows of a migration. It may repeat windows, so a count ends with all of them. */
  setWindows(count: (known: WindowCounts) => Partial<WindowCounts>): void {
    if (this.migration === null) return;
    const { exported, verified } = { ...this.migration, ...count(this.migration) };
    const most = (value: number): number => Math.min(value, this.items.total);
    this.migration = {
      ...this.migration,
      exported: most(exported),
      verified: this.about.isUnverified ? 0 : most(verified),
    };
  }

  /** @param lines of a batch that was sent; what became of them is known when its item ends */
  addPoints(lines: number): void {
    this.points.written += lines;
  }

  itemDone({ rejected, failed }: { readonly rejected: number; readonly failed: number }): void {
    this.items.done += 1;
    this.points.written -= rejected + failed;
    this.points.rejected += rejected;
    this.points.failed += failed;
  }

  itemFailed(error: unknown): void {
    this.items.failed += 1;
    const short = errorText(error).slice(0, MAX_CAUSE);
    if (this.causes.has(short) || this.causes.size < MAX_CAUSES) {
      this.causes.set(short, (this.causes.get(short) ?? 0) + 1);
    }
  }

  end({ status, items, points, causes, report }: RunEnd): void {
    clearInterval(this.timer);
    if (items) this.items = { ...items };
    if (points) this.points = { ...points };
    if (causes) {
      this.causes.clear();
      for (const { cause, count } of causes) this.causes.set(cause.slice(0, MAX_CAUSE), count);
    }
    this.write(status, new Date().toISOString(), report);
  }

  /** Ends a run that an error stopped. */
  fail(error: unknown): void {
    this.end({ status: 'failed', causes: [{ cause: errorText(error), count: 1 }] });
  }

  private write(status: Run['status'], ended: string | null, report?: string): void {
    const { about, items, points, migration, loading, started } = this;
    const updated = Date.now();
    const seconds = ((loading.to ?? updated) - loading.from) / 1000;
    const run: RunFile = {
      ...{ id: about.id, kind: about.kind, source: about.source.slice(0, MAX_SOURCE), target: about.target },
      ...{ started: new Date(started).toISOString(), ended, status, items, points, migration },
      pointsPerSecond: seconds > 0 ? Math.round(points.written / seconds) : 0,
      causes: [...this.causes].slice(0, MAX_CAUSES).map(([cause, count]) => ({ cause, count })),
      report: report?.slice(0, MAX_REPORT) ?? null,
      ...{ process: process.pid, updated },
    };
    try {
      // Only the user may read it: sources and causes may name private files.
      writeFileSync(`${this.file}.part`, JSON.stringify(run), { mode: 0o600 });
      renameSync(`${this.file}.part`, this.file);
    } catch {
      // The console lacks the run; its own report is elsewhere.
    }
  }
}

export const errorText = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** Removes all but the newest files. The names begin with the time. */
function removeOld(folder: string): void {
  const old = readdirSync(folder).sort().slice(0, -MAX_FILES);
  for (const name of old) rmSync(join(folder, name), { force: true });
}
