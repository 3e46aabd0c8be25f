/** Exports one window, and counts it at the source. Each change of its state is in the ledger before the next call to the service. */
import { createHash } from 'node:crypto';
import { DataConversionError, TimestreamQueryError } from '../errors';
import { parseS3Uri } from '../loads/objects';
import { fullJitterDelay } from '../resilience/backoff';
import { targetTable } from './fields';
import type { Ledger, LedgerEntry } from './ledger';
import { type QueryCall, type QueryServices, QueryTokenError, QueryTooLargeError, run, single } from './query';
import { findManifest, type QueryFiles, readQueryFiles } from './query-files';
import type { Migration, TableSurvey, Window, WindowRecord } from './records';
import type { MigrationServices } from './services';
import { countSource } from './source-counts';
import { unload } from './sql';
import { halves } from './windows';
import { windowName } from './work-keys';

/** Attempts in one run: the table may change between the export of a window and its count. */
const MAX_ATTEMPTS = 3;
const PAUSE = { baseMs: 2_000, capMs: 30_000 };

type Work = LedgerEntry & { readonly survey: TableSurvey };

/**
 * @returns the record, as it is in the ledger, and the halves if the window was too large. A failure is in the ledger.
 * @throws TimestreamUnavailableError if Timestream stays unavailable; S3UnavailableError
 */
export async function exportWindow(
  work: Work,
  migration: Migration,
  ledger: Ledger,
  services: MigrationServices,
): Promise<{ readonly record: WindowRecord; readonly parts: readonly Window[] }> {
  const exporting = new WindowExport(work, migration, ledger, services);
  let parts: readonly Window[] = [];
  try {
    await exporting.run();
  } catch (error) {
    if (error instanceof QueryTooLargeError && !services.deadline.aborted) parts = await exporting.split(error);
    else if (isOfWindow(error) && !services.deadline.aborted) await exporting.fail(error.message);
    else if (!services.deadline.aborted) throw error;
  }
  return { record: exporting.record, parts };
}

/** Errors after which other windows may succeed. */
function isOfWindow(error: unknown): error is Error {
  return (
    error instanceof TimestreamQueryError || error instanceof DataConversionError || error instanceof QueryTokenError
  );
}

class WindowExport {
  record: WindowRecord;
  private readonly name: string;

  constructor(
    private readonly work: Work,
    private readonly migration: Migration,
    private readonly ledger: Ledger,
    private readonly services: MigrationServices,
  ) {
    this.name = windowName(work.window);
    this.record = work.record ?? {
      window: work.window,
      state: 'started',
      attempt: 0,
      query: null,
      exported: null,
      source: null,
      loaded: null,
      loads: 0,
      verified: null,
      scannedBytes: 0,
      error: null,
    };
  }

  async run(): Promise<void> {
    for (let tried = 1; ; tried += 1) {
      const files = await this.files();
      const source = this.migration.request.verify === 'none' ? null : await this.count(files);
      if (source === null || source.rows === files.rows) {
        const exported = { folder: this.record.query?.folder ?? '', ...files, columns: [...files.columns] };
        await this.save({
          state: 'exported',
          query: null,
          exported,
          source,
          loaded: null,
          loads: 0,
          verified: null,
          error: null,
        });
        this.report('exported', files.rows);
        return;
      }
      if (tried >= MAX_ATTEMPTS) {
        throw new TimestreamQueryError(
          `the table changed during ${tried} exports of the window: it has ${source.rows} rows, and the manifest ${files.rows}. ` +
            'Stop the writers of this range, or end the migration earlier with --to',
        );
      }
      await this.save({ query: null });
      await this.services.clock.delay(fullJitterDelay(tried, PAUSE), this.services.deadline);
      this.services.deadline.throwIfAborted();
    }
  }

  async split(error: Error): Promise<readonly Window[]> {
    const parts = halves(this.work.window);
    if (parts === undefined) {
      await this.fail(`a window of 1 ns is too large: ${error.message}`);
      return [];
    }
    await this.save({ state: 'split', query: null, error: error.message });
    this.services.onEvent?.({ kind: 'split', table: this.work.table, window: this.name, reason: error.message });
    return parts;
  }

  async fail(reason: string): Promise<void> {
    await this.save({ state: 'failed', query: null, error: reason });
    this.services.onEvent?.({ kind: 'failed', table: this.work.table, window: this.name, reason });
  }

  /** The files of this window: of a query that an earlier run has started, or of a new one. */
  private async files(): Promise<QueryFiles> {
    return (await this.continued()) ?? (await this.unloaded());
  }

  /** Undefined if no query was started, or nothing is known about it any more. */
  private async continued(): Promise<QueryFiles | undefined> {
    const { state, query } = this.record;
    if (state !== 'started' || query === null) return undefined;
    if (query.nextToken !== null) {
      try {
        return await this.poll(query.folder, query.nextToken);
      } catch (error) {
        // Tokens expire, and belong to the principal that started the query.
        if (!(error instanceof QueryTokenError)) throw error;
      }
    }
    // The query may have ended while nobody was waiting for it. UNLOAD writes the manifest last.
    const manifest = await findManifest(this.services.objects, query.folder);
    return manifest && (await readQueryFiles(this.services.objects, manifest, this.work.survey.columns));
  }

  /** Starts an UNLOAD into a folder of its own, so that files of an earlier attempt cannot be mistaken for its files. */
  private async unloaded(): Promise<QueryFiles> {
    const { migration, work } = this;
    const attempt = this.record.attempt + 1;
    const { database, export: root } = migration.request;
    // The layout of AWS's tools: <database>/<table>/<chunk>/.
    const folder = `${root}${database}/${work.table}/${this.name}-${migration.migrationId}-${attempt}/`;
    await this.save({ state: 'started', attempt, query: { folder, nextToken: null }, error: null });
    return await this.poll(folder, undefined);
  }

  /** A start that is repeated after throttling takes another turn, else it would throttle the starts of other windows. */
  private async inTurn(...[input, signal]: Parameters<QueryCall>): ReturnType<QueryCall> {
    const { unloads, query } = this.services;
    if (input.NextToken === undefined) {
      await unloads.turn(signal);
      signal.throwIfAborted();
    }
    return await query(input, signal);
  }

  private async poll(folder: string, nextToken: string | undefined): Promise<QueryFiles> {
    const { services, work } = this;
    const sql = unload(this.migration.request.database, work.table, work.window, folder, services.exportKmsKey);
    const clientToken = createHash('sha256').update(folder).digest('hex');
    const inTurn: QueryServices = { ...services, query: (input, signal) => this.inTurn(input, signal) };
    const result = await run({ sql, clientToken, nextToken }, inTurn, async ({ nextToken: token, percent }) => {
      await this.save({ query: { folder, nextToken: token } });
      services.onEvent?.({ kind: 'exporting', table: work.table, window: this.name, percent });
    });
    this.record = { ...this.record, scannedBytes: this.record.scannedBytes + result.meteredBytes };
    const names = result.columns.map(({ Name = '' }) => Name.toLowerCase());
    const row = single(result, 3, sql);
    const of = (name: string): string | null => row[names.indexOf(name)] ?? null;
    const manifest = of('manifestfile');
    if (manifest === null || manifest === '') {
      if (of('rows') === '0') return { manifest: '', rows: 0, bytes: 0, files: 0, columns: work.survey.columns };
      throw new TimestreamQueryError(`UNLOAD reported no manifest: ${sql.slice(0, 200)}`);
    }
    const { bucket } = parseS3Uri(folder);
    const ref = manifest.startsWith('s3://') ? parseS3Uri(manifest) : { bucket, key: manifest };
    const files = await readQueryFiles(services.objects, ref, work.survey.columns);
    if (String(files.rows) === of('rows')) return files;
    throw new DataConversionError(`UNLOAD reported ${of('rows')} rows, but ${manifest} has ${files.rows}`);
  }

  /** The expected counts, queried after the export. */
  private async count({ columns }: QueryFiles) {
    const { database, mapping, verify } = this.migration.request;
    const { table, window, survey } = this.work;
    const target = targetTable(survey, columns, mapping);
    const { count, scannedBytes } = await countSource(
      { database, table, target },
      window,
      verify === 'sums',
      this.services,
    );
    this.record = { ...this.record, scannedBytes: this.record.scannedBytes + scannedBytes };
    return count;
  }

  private async save(change: Partial<WindowRecord>): Promise<void> {
    this.record = { ...this.record, ...change };
    await this.ledger.save(this.work.table, this.record);
  }

  private report(kind: 'exported', rows: number): void {
    this.services.onEvent?.({ kind, table: this.work.table, window: this.name, rows });
  }
}
