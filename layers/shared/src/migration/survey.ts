/** The step Survey: fixes the range and the tables of a migration, surveys each table, and checks the target before anything is written. */
import { InvalidEventError } from '../errors';
import type { Target } from '../influxdb/protocol';
import { inOrder } from '../loads/in-order';
import { toNanoseconds } from '../nanoseconds';
import { validate } from '../validation';
import { Ledger } from './ledger';
import { preflight } from './preflight';
import { run } from './query';
import type { Finding, Migration, TableSurvey } from './records';
import { type MappingOptions, type MigrationRequest, readMigrationInput } from './request';
import type { MigrationServices } from './services';
import { showTables } from './sql';
import { type SurveyOutput, surveyInputSchema } from './steps';
import { withMerges } from './survey-merges';
import { surveyTable } from './survey-table';

/** Tables surveyed concurrently. */
const CONCURRENCY = 4;
/** `from: last` begins this much before the end of the last migration, because rows may arrive late. */
export const OVERLAP_NS = 86_400_000_000_000n;

/**
 * Surveys the tables that have no survey yet.
 * @throws InvalidEventError if the input is not valid or no table matches; TimestreamQueryError or TimestreamUnavailableError
 */
export async function surveyStep(event: unknown, services: MigrationServices): Promise<SurveyOutput> {
  const { migrationId, input } = validate(surveyInputSchema, event, 'the input of Survey');
  const request = readMigrationInput(input);
  const id = 'resume' in request ? request.resume : migrationId;
  const ledger = new Ledger(id, services.objects, services.workBucket);
  const migration =
    'resume' in request
      ? await ledger.migration()
      : ((await ledger.findMigration()) ?? (await begin(ledger, request, services)));
  assertTarget(migration, services);
  const tables = (await ledger.tables()) ?? [];
  const surveys = await surveyTables(tables, migration, ledger, services);
  const verifyOnly = request.verifyOnly || migration.request.verifyOnly;
  const isSurveyed = surveys.length === tables.length;
  const findings = isSurveyed && !verifyOnly ? await checked(migration, surveys, ledger, services) : [];
  const done = isSurveyed && findings !== undefined;
  const all = [...surveys.flatMap((survey) => survey.findings), ...(findings ?? [])];
  const count = (severity: Finding['severity']) => all.filter((finding) => finding.severity === severity).length;
  const problems = count('problem');
  return {
    migrationId: id,
    done,
    next: verifyOnly ? 'Verify' : problems > 0 || migration.request.dryRun ? 'Report' : 'Export',
    tables: tables.length,
    surveyed: surveys.length,
    windows: surveys.reduce((sum, { windows }) => sum + windows.length, 0),
    rows: surveys.reduce((sum, { rows }) => sum + rows, 0),
    problems,
    warnings: count('warning'),
  };
}

async function begin(ledger: Ledger, request: MigrationRequest, services: MigrationServices): Promise<Migration> {
  const { database, to } = request;
  const tables = await matchingTables(request, services);
  const now = BigInt(Math.floor(services.now())) * 1_000_000n;
  const end = to ? toNanoseconds(to) : now;
  const migration: Migration = {
    migrationId: ledger.migrationId,
    request,
    target: services.influxdb.target,
    to: String(end),
    started: new Date(services.now()).toISOString(),
  };
  if (tables.length === 0) {
    throw new InvalidEventError(`no table of ${database} matches ${request.tables.join(', ')}: SHOW TABLES lists them`);
  }
  await ledger.begin(migration, tables);
  return migration;
}

/** The findings about mappings and target; undefined if the deadline ended the check. */
async function checked(
  migration: Migration,
  surveys: readonly TableSurvey[],
  ledger: Ledger,
  services: MigrationServices,
): Promise<readonly Finding[] | undefined> {
  try {
    const findings = await preflight(migration, surveys, services);
    await ledger.saveFindings(findings);
    return findings;
  } catch (error) {
    if (services.deadline.aborted) return undefined;
    throw error;
  }
}

/** A ledger says what one target has. */
function assertTarget({ migrationId, target }: Migration, { influxdb }: MigrationServices): void {
  if (targetId({ influxdb: { target } }) === targetId({ influxdb })) return;
  throw new InvalidEventError(
    `the migration ${migrationId} loads into ${target.bucket} at ${target.url}, not into ${influxdb.target.bucket} at ${influxdb.target.url}`,
  );
}

/** The tables whose names match, in the order of their names. @throws InvalidEventError if a pattern matches none */
async function matchingTables(
  { database, tables: patterns }: MigrationRequest,
  services: MigrationServices,
): Promise<string[]> {
  const { rows } = await run({ sql: showTables(database) }, services);
  const names = rows.map(([name]) => name ?? '');
  const idle = patterns.filter((pattern) => !names.some((name) => globOf(pattern).test(name)));
  if (idle.length > 0) {
    throw new InvalidEventError(
      `no table of ${database} matches ${idle.join(', ')}. Tables: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}`,
    );
  }
  return names.filter((name) => patterns.some((pattern) => globOf(pattern).test(name))).sort();
}

/** `*` is any text, `?` is one character; anything else stands for itself. */
const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  );

/** The surveys in the order of the tables, up to the first one that the deadline prevents. */
async function surveyTables(
  tables: readonly string[],
  migration: Migration,
  ledger: Ledger,
  services: MigrationServices,
): Promise<TableSurvey[]> {
  const surveys: TableSurvey[] = [];
  const survey = async (table: string): Promise<TableSurvey | undefined> => {
    const known = await ledger.survey(table);
    if (known || services.deadline.aborted) return known;
    try {
      const made = await surveyOne(table, migration, ledger, services);
      await ledger.saveSurvey(made);
      services.onEvent?.({ kind: 'surveyed', table, rows: made.rows, windows: made.windows.length });
      return made;
    } catch (error) {
      if (services.deadline.aborted) return undefined;
      throw error;
    }
  };
  for await (const made of inOrder(tables, CONCURRENCY, survey)) {
    if (made === undefined) break;
    surveys.push(made);
  }
  return surveys;
}

async function surveyOne(table: string, { request, to }: Migration, ledger: Ledger, services: MigrationServices) {
  const { database, from, verify, mapping } = request;
  const last = from === 'last' ? await ledger.lastProved(database, table, provedInto(mapping, services)) : undefined;
  const start = last ? BigInt(last.to) - OVERLAP_NS : from && from !== 'last' ? toNanoseconds(from) : undefined;
  const range = { from: start, to: BigInt(to) };
  const options = {
    mapping,
    fullScans: verify === 'none' ? 1 : 2,
    ...(services.limits && { limits: services.limits }),
  };
  const survey = await surveyTable(database, table, range, options, services);
  return await withMerges(survey, request, services);
}

/** The target that a table was migrated into. */
export const targetId = ({ influxdb: { target } }: { readonly influxdb: { readonly target: Target } }): string =>
  JSON.stringify([target.engine, target.url, target.org, target.bucket]);

/** What `from: last` goes on with: the target, and the options that decide which points rows become. */
export const provedInto = (
  { measureName, dimensionsToFields, timestamps }: MappingOptions,
  services: Pick<MigrationServices, 'influxdb'>,
): string => JSON.stringify([targetId(services), measureName, [...dimensionsToFields].sort(), timestamps]);
