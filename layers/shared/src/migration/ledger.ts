/** Reads and writes the objects of a migration in the work bucket. */
import { z } from 'zod';
import { InvalidEventError } from '../errors';
import { inOrder } from '../loads/in-order';
import { type ObjectStore, readText } from '../loads/objects';
import { validate } from '../validation';
import {
  type Finding,
  findingSchema,
  type Migration,
  migrationSchema,
  type TableSurvey,
  tableSurveySchema,
  type Window,
  type WindowRecord,
  windowRecordSchema,
} from './records';
import { halves } from './windows';
import { lastProvedKey, migrationKey, tableKey, windowKey } from './work-keys';

/** Records read concurrently. */
const READS = 16;

const lastSchema = z.object({
  database: z.string(),
  table: z.string(),
  migrationId: z.string(),
  /** ns: the begin of the range that was proved; null for the table's first row. */
  from: z.string().nullable(),
  /** ns: its end, not later than the time when its last part was surveyed. */
  to: z.string(),
});
/** The range of a table that is proved without a gap. */
export type LastProved = z.output<typeof lastSchema>;

/** A window that is not split, with its record; undefined without one. */
export interface LedgerEntry {
  readonly table: string;
  readonly window: Window;
  readonly record: WindowRecord | undefined;
}

/** Whether the window is loaded, and no verification has found a difference since then. */
export const isLoaded = ({ loaded, verified }: WindowRecord): boolean =>
  loaded?.complete === true && (verified?.differences.length ?? 0) === 0;

export class Ledger {
  constructor(
    readonly migrationId: string,
    private readonly objects: Pick<ObjectStore, 'read' | 'write' | 'nameOf'>,
    readonly workBucket: string,
  ) {}

  /** The address of an object of the migration, for people. */
  nameOf(name: string): string {
    return this.objects.nameOf({ bucket: this.workBucket, key: migrationKey(this.migrationId, name) });
  }

  findMigration(): Promise<Migration | undefined> {
    return this.find(migrationKey(this.migrationId, 'migration.json'), migrationSchema);
  }

  /** @throws InvalidEventError if the migration does not exist */
  async migration(): Promise<Migration> {
    const found = await this.findMigration();
    if (found) return found;
    throw new InvalidEventError(
      `the migration ${this.migrationId} does not exist: ${this.nameOf('migration.json')} is missing`,
    );
  }

  /** The tables of the migration, in the order of their names; undefined until Survey has listed them. */
  tables(): Promise<string[] | undefined> {
    return this.find(migrationKey(this.migrationId, 'tables.json'), z.array(z.string()));
  }

  async begin(migration: Migration, tables: readonly string[]): Promise<void> {
    await this.put(migrationKey(this.migrationId, 'tables.json'), tables);
    await this.put(migrationKey(this.migrationId, 'migration.json'), migration);
  }

  /** Findings that are not about one table. */
  async findings(): Promise<Finding[]> {
    return (await this.find(migrationKey(this.migrationId, 'findings.json'), z.array(findingSchema))) ?? [];
  }

  saveFindings(findings: readonly Finding[]): Promise<void> {
    return this.put(migrationKey(this.migrationId, 'findings.json'), findings);
  }

  survey(table: string): Promise<TableSurvey | undefined> {
    return this.find(tableKey(this.migrationId, table), tableSurveySchema);
  }

  saveSurvey(survey: TableSurvey): Promise<void> {
    return this.put(tableKey(this.migrationId, survey.table), survey);
  }

  /** The surveys of all tables. @throws InvalidEventError if Survey has not ended */
  async surveys(): Promise<TableSurvey[]> {
    const surveys: TableSurvey[] = [];
    for (const table of (await this.tables()) ?? []) {
      const survey = await this.survey(table);
      if (!survey) throw new InvalidEventError(`the survey of ${table} is missing: Survey has not ended`);
      surveys.push(survey);
    }
    return surveys;
  }

  record(table: string, window: Window): Promise<WindowRecord | undefined> {
    return this.find(windowKey(this.migrationId, table, window), windowRecordSchema);
  }

  save(table: string, record: WindowRecord): Promise<void> {
    return this.put(windowKey(this.migrationId, table, record.window), record);
  }

  /** The windows of a table in time order; a split window is replaced by its halves. */
  async *entries({ table, windows }: TableSurvey): AsyncGenerator<LedgerEntry> {
    const leaves = ({ from, to }: Window) => this.leaves(table, { from, to });
    for await (const entries of inOrder(windows, READS, leaves)) yield* entries;
  }

  /** The windows of all tables, table by table. */
  async *allEntries(): AsyncGenerator<LedgerEntry & { readonly survey: TableSurvey }> {
    for (const survey of await this.surveys()) {
      for await (const entry of this.entries(survey)) yield { ...entry, survey };
    }
  }

  /** @param into the target and the mapping: with others, points are others */
  lastProved(database: string, table: string, into: string): Promise<LastProved | undefined> {
    return this.find(lastProvedKey(database, table, into), lastSchema);
  }

  saveLastProved(last: LastProved, into: string): Promise<void> {
    return this.put(lastProvedKey(last.database, last.table, into), last);
  }

  async saveFile(name: string, body: string, contentType: string): Promise<string> {
    const ref = { bucket: this.workBucket, key: migrationKey(this.migrationId, name) };
    await this.objects.write(ref, Buffer.from(body), contentType);
    return this.objects.nameOf(ref);
  }

  private async leaves(table: string, window: Window): Promise<LedgerEntry[]> {
    const record = await this.record(table, window);
    const parts = record?.state === 'split' ? halves(window) : undefined;
    if (!parts) return [{ table, window, record }];
    return (await Promise.all(parts.map((part) => this.leaves(table, part)))).flat();
  }

  private async find<T>(key: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const ref = { bucket: this.workBucket, key };
    const text = await readText(this.objects, ref);
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new InvalidEventError(`${this.objects.nameOf(ref)} is not JSON`);
    }
    return validate(schema, value, this.objects.nameOf(ref));
  }

  private put(key: string, value: unknown): Promise<void> {
    return this.objects.write({ bucket: this.workBucket, key }, Buffer.from(JSON.stringify(value)), 'application/json');
  }
}
