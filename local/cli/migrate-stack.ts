/** `migrate --stack`: migrates by the workflow of a deployed stack. */
import type { Command } from 'commander';
import { grouped } from 'shared/count-text';
import type { MigrationProgress } from 'shared/migration/progress';
import { show } from '../migration/show';
import { startRemote } from '../stack/remote-execution';
import { remoteMigrations, watchMigration } from '../stack/remote-migration';
import { commandLine } from './command-line';
import { DONE, FAILED, INTERRUPTED, interruption, MISUSED, UsageError } from './ending';
import { type MigrateOptions, requestOf } from './migrate-options';
import { MIGRATION_SETTINGS } from './settings-tables';
import { uselessWithStack } from './stack-options';

/** Options of a new migration. A migration that is continued has those of its first run. */
const OF_A_REQUEST = [
  ...['database', 'table', 'from', 'to', 'export', 'measureName', 'dimensionsToFields', 'timestamps', 'verify'],
  'allowMerges',
  'dryRun',
];

/** @returns the exit code */
export async function migrateByStack(stack: string, options: MigrateOptions, command: Command): Promise<number> {
  const useless = uselessWithStack(command, ['timestream'], MIGRATION_SETTINGS);
  if (useless !== undefined) {
    throw new UsageError(`${useless} cannot be used with --stack: the deployed stack has its own settings`);
  }
  const { resume, watch, verifyOnly = false, dryRun = false, detach = false } = options;
  if (verifyOnly && resume === undefined) throw new UsageError('--verify-only with --stack needs --resume ID');
  const known = resume === undefined ? (watch !== undefined ? '--watch' : undefined) : '--resume';
  const extra = known && command.options.find((option) => isGiven(command, option.attributeName()));
  if (extra) throw new UsageError(`${extra.long} cannot be used with ${known}: the migration has its options`);
  if (resume !== undefined && watch !== undefined) throw new UsageError('give --resume or --watch, not both');
  const migrations = await remoteMigrations(stack);
  const input =
    resume === undefined
      ? { ...requestOf(options), database: options.database, export: options.export, dryRun }
      : { resume, verifyOnly };
  const id = watch ?? (await startRemote(input, migrations, new Date()));
  if (detach) {
    console.log(id);
    return DONE;
  }
  if (watch === undefined) console.error(`Migration ${id} was started`);
  const outcome = await watchMigration(id, migrations, showProgress, interruption());
  if (outcome === undefined) {
    const follow = commandLine('migrate', ['--stack', stack, '--watch', id]);
    console.error(`The migration continues. To follow it: ${follow}`);
    return INTERRUPTED;
  }
  const { state, migrationId, hasReport, failure } = outcome;
  if (hasReport) await show({ ...migrations, migrationId }, options.json ?? false);
  else console.error(failure ? `${failure.error}: ${failure.cause}` : `the migration ended with the state ${state}`);
  if (state === 'SUCCEEDED') return DONE;
  if (failure?.error === 'InvalidEventError') return MISUSED;
  console.error(`To continue it: ${commandLine('migrate', ['--stack', stack, '--resume', migrationId])}`);
  return FAILED;
}

const isGiven = (command: Command, name: string): boolean =>
  OF_A_REQUEST.includes(name) && command.getOptionValueSource(name) === 'cli';

function showProgress(progress: MigrationProgress, rate: number | null): void {
  const { windows, exported, failed, loaded, verified, differing, rows } = progress;
  const counts = { exported, loaded, verified, failed, differing };
  const text = Object.entries(counts)
    .filter(([name, count]) => count > 0 || !['failed', 'differing'].includes(name))
    .map(([name, count]) => `${grouped(count)} ${name}`)
    .join(', ');
  const points = {
    'points written': progress.pointsWritten,
    'points/s': rate ?? 0,
    'points rejected': progress.rejectedPoints,
    'points failed': progress.failedPoints,
  };
  const counted = Object.entries(points).filter(([, count]) => count > 0);
  const details = [`${grouped(rows)} rows`, ...counted.map(([name, count]) => `${grouped(count)} ${name}`)];
  console.error(`${grouped(windows)} windows: ${text} (${details.join(', ')})`);
}
