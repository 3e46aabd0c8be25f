/** The step SummarizeLoad: adds up the results of a load, and writes the summary and the failed items. */

import { z } from 'zod';
import { grouped, number } from '../count-text';
import { noValueProblem, requiredColumns } from '../datasets/columns';
import type { DatasetMapping } from '../datasets/mapping';
import { UnexpectedError } from '../errors';
import { own } from '../own';
import { validate } from '../validation';
import { Causes } from './causes';
import { ExportAccounts } from './export-accounts';
import { readExportTables } from './export-tables';
import type { ItemResult } from './item-result';
import { JsonLines } from './json-lines';
import { jsonObjects } from './json-objects';
import { type Load, loadSchema } from './load';
import { itemOutcomes, readCause } from './map-results';
import type { ObjectRef, ObjectStore } from './objects';
import { itemId, type PlanItem, planItemSchema, unplannedSchema } from './plan-item';
import type { Summary } from './summary';
import { TotalsCounter } from './totals';
import { type UnfinishedServices, unfinishedItems } from './unfinished';
import { workKey } from './work-keys';

const failureSchema = z.object({ error: z.string(), cause: z.string() });
const inputSchema = z.object({
  load: loadSchema,
  parts: z.array(
    z.object({
      plan: z.object({
        plan: z.object({ bucket: z.string(), key: z.string() }),
        part: z.number(),
        items: z.number(),
        files: z.number(),
        rows: z.number(),
        unplanned: z.number(),
        ignored: z.number().default(0),
        /** Where the next part begins; null after the last part. */
        continuation: z.unknown(),
      }),
      /** The manifest of the map's ResultWriter; null if the map did not run or failed. */
      results: z.object({ bucket: z.string(), manifestKey: z.string() }).nullish(),
      error: failureSchema.nullish(),
    }),
  ),
  /** The error that ended the load early. */
  error: failureSchema.nullish(),
});
type Part = z.output<typeof inputSchema>['parts'][number];

export interface SummaryServices extends UnfinishedServices {
  readonly mappings: readonly DatasetMapping[];
  /** Whether a file fails if a required column has no value at all. */
  readonly validateSchema: boolean;
  /** Whether the load validated its files and wrote nothing. */
  readonly dryRun?: boolean | undefined;
}

/**
 * Summarizes `{load, parts, error}`. An item has failed if
 * - the map reports it as failed or does not report it at all,
 * - a required column has no value in the whole file, or
 * - it is a file that could not be planned.
 * Points that an item wrote before it failed are counted, as far as its last attempt that wrote points reported them.
 * `failed-items.jsonl` has the failed items and the items with skipped batches.
 * @throws InvalidEventError for an invalid input; UnexpectedError if results are missing
 */
export async function summarizeLoad(event: unknown, services: SummaryServices): Promise<Summary> {
  const { load, parts, error } = validate(inputSchema, event, 'the input');
  const { objects, workBucket } = services;
  const unfinished = await unfinishedItems(load.loadId, services);
  const sum = new LoadSum(services, unfinished.results, load.ignored);
  for (const part of parts) await sum.addPart(part);
  for (const failure of [error, ...parts.map((part) => part.error)]) {
    if (failure) sum.causes.add(failure.error, readCause(failure).cause, null);
  }

  const at = (name: string): ObjectRef => ({ bucket: workBucket, key: workKey(load.loadId, name) });
  const failedItems = sum.repeat.count === 0 ? null : at('failed-items.jsonl');
  if (failedItems) await objects.write(failedItems, sum.repeat.text(), 'application/x-ndjson');
  const endedEarly = error !== null && error !== undefined;
  const wasStopped = endedEarly || parts.some((part) => part.error);
  const summary = summaryOf(load, sum, wasStopped, unfinished.unread, {
    ...(services.dryRun && { dryRun: true }),
    ...(await tablesOf(load, sum, services)),
    failedItems: failedItems && objects.nameOf(failedItems),
    summary: objects.nameOf(at('summary.json')),
    fullyPlanned: !endedEarly && (parts.at(-1)?.plan.continuation ?? null) === null,
  });
  await objects.write(at('summary.json'), Buffer.from(JSON.stringify(summary, null, 2)), 'application/json');
  return summary;
}

/** The accounts of an export's tables; a repetition of its failed items has them for these items alone, in `datasets`. */
async function tablesOf({ loadId, source }: Load, sum: LoadSum, { objects, workBucket }: SummaryServices) {
  if (!('export' in source)) return {};
  return { tables: sum.accounts.list(await readExportTables({ bucket: workBucket, loadId }, objects)) };
}

const uriOf = ({ bucket, key }: ObjectRef): string => `s3://${bucket}/${key}`;

class LoadSum {
  files = 0;
  items = 0;
  failed = 0;
  /** Loaded items with points that InfluxDB rejected. */
  withRejections = 0;
  /** Lines of failed-items.jsonl. */
  readonly repeat = new JsonLines();
  readonly causes = new Causes();
  readonly all = new TotalsCounter();
  readonly accounts = new ExportAccounts();
  readonly datasets = new Map<string, TotalsCounter>();
  /** By file and required column: the rows of the items in which the column has no value at all. */
  private readonly withoutValues = new Map<string, Map<string, number>>();

  /**
   * @param unfinished results of items that failed, by id, including items that a later attempt completed
   * @param ignored number of objects that were left out before planning
   */
  constructor(
    private readonly services: SummaryServices,
    private readonly unfinished: Map<string, ItemResult>,
    public ignored: number,
  ) {}

  async addPart({ plan, results }: Part): Promise<void> {
    this.files += plan.files;
    this.ignored += plan.ignored;
    this.items += plan.items + plan.unplanned;
    const outcomes = new Map<string, { error: string; cause: string } | 'done' | 'incomplete'>();
    const { objects } = this.services;
    const manifest = results ? { bucket: results.bucket, key: results.manifestKey } : await findManifest(objects, plan);
    if (manifest) {
      for await (const outcome of itemOutcomes(objects, manifest)) {
        if (outcome.kind === 'failed') outcomes.set(itemId(outcome.item), outcome);
        else {
          this.addResult(outcome.result);
          this.addRejections(outcome.result);
          outcomes.set(itemId(outcome.result.item), outcome.result.failedBatches > 0 ? 'incomplete' : 'done');
        }
      }
    }
    if (plan.items > 0) {
      for await (const line of this.lines(plan.plan)) {
        const item = validate(planItemSchema, line, `an item of ${objects.nameOf(plan.plan)}`);
        const outcome = this.outcomeOf(item, outcomes.get(itemId(item)));
        if (outcome === 'incomplete') this.repeat.add(item);
        else if (outcome !== 'done') {
          const unfinished = this.unfinished.get(itemId(item));
          if (unfinished) this.addTotals(unfinished);
          this.fail(item, outcome);
        }
      }
    }
    if (plan.unplanned > 0) {
      const key = plan.plan.key.replace(/plan-(\d+)\.jsonl$/, 'unplanned-$1.jsonl');
      for await (const line of this.lines({ ...plan.plan, key })) {
        const { error, cause, ...file } = validate(
          unplannedLine,
          line,
          `a line of ${objects.nameOf({ ...plan.plan, key })}`,
        );
        this.fail(file, { error, cause });
      }
    }
  }

  private addTotals(result: ItemResult): void {
    const dataset = this.datasets.get(result.dataset) ?? new TotalsCounter();
    this.datasets.set(result.dataset, dataset);
    dataset.add(result);
    this.all.add(result);
    this.accounts.add(result);
  }

  private addResult(result: ItemResult): void {
    this.addTotals(result);
    this.unfinished.delete(itemId(result.item));
    // A table of an export may be called as a dataset.
    const mapping = result.export ? undefined : this.services.mappings.find(({ name }) => name === result.dataset);
    if (!this.services.validateSchema || !mapping || result.sourceRecords === 0) return;
    for (const column of requiredColumns(mapping)) {
      if ((own(result.nulls, column) ?? 0) < result.sourceRecords) continue;
      const file = uriOf(result.item);
      const columns = this.withoutValues.get(file) ?? new Map<string, number>();
      columns.set(column, (columns.get(column) ?? 0) + result.sourceRecords);
      this.withoutValues.set(file, columns);
    }
  }

  /** An item with rejected points counts as a failure, although a repetition would not help. */
  private addRejections({ item, rejectedPoints, rejected }: ItemResult): void {
    if (rejectedPoints === 0) return;
    this.withRejections += 1;
    const reason = rejected[0]?.reason ?? 'no reason given';
    this.causes.add(
      'InfluxDBWriteError',
      `${number(rejectedPoints, 'point')} rejected: ${reason}`,
      this.services.objects.nameOf(item),
    );
  }

  /** A loaded item fails if a required column has no value in its whole file. */
  private outcomeOf<T>(item: PlanItem, outcome: T): T | { error: string; cause: string } {
    const columns = [...(this.withoutValues.get(uriOf(item)) ?? [])].filter(([, rows]) => rows === item.fileRows);
    if (columns.length === 0) return outcome;
    return { error: 'DataConversionError', cause: columns.map(([column]) => noValueProblem(column)).join(', ') };
  }

  private fail(item: ObjectRef, outcome: { error: string; cause: string } | undefined): void {
    const failure = outcome ?? { error: 'NotStarted', cause: 'the item was not started before the load ended' };
    const { error, cause } = { error: failure.error, cause: failure.cause };
    this.failed += 1;
    this.causes.add(error, cause, this.services.objects.nameOf(item));
    this.repeat.add({ ...item, error, cause });
  }

  private async *lines(ref: ObjectRef): AsyncGenerator<unknown> {
    const name = this.services.objects.nameOf(ref);
    const chunks = await this.services.objects.read(ref);
    if (!chunks) throw new UnexpectedError(`${name} is missing`);
    yield* jsonObjects(chunks, name);
  }
}

/** Finds the manifest of a failed map. Its error does not name the manifest, but it is in the folder of the results. */
async function findManifest(objects: ObjectStore, { plan, part }: Part['plan']): Promise<ObjectRef | undefined> {
  const folder = plan.key.replace(/[^/]*$/, `results-${part}/`);
  for await (const page of objects.list(plan.bucket, folder)) {
    const manifest = page.find(({ key }) => key.endsWith('/manifest.json'));
    if (manifest) return manifest;
  }
  return undefined;
}

const unplannedLine = unplannedSchema.extend({ error: z.string(), cause: z.string() });

/** @param unread number of results of failed items that were not read before the deadline */
function summaryOf(
  { loadId, toleratedFailurePercentage }: Load,
  sum: LoadSum,
  wasStopped: boolean,
  unread: number,
  written: Pick<Summary, 'failedItems' | 'summary' | 'fullyPlanned' | 'dryRun' | 'tables'>,
): Summary {
  const totals = sum.all.totals();
  const { points_written: points, source_records: records, failed_points, rejected_points } = totals;
  const isComplete = sum.failed === 0 && failed_points === 0 && rejected_points === 0 && !wasStopped;
  const storedNothing = points === 0 && unread === 0 && (!isComplete || records > 0);
  const statusCode = storedNothing ? 500 : isComplete ? 200 : 207;
  const share = sum.items === 0 ? 0 : (100 * (sum.failed + sum.withRejections)) / sum.items;
  return {
    loadId,
    statusCode,
    message: summaryMessage(sum, wasStopped, unread, written.dryRun ?? false),
    files: sum.files,
    ignored: sum.ignored,
    items: sum.items,
    failed_items: sum.failed,
    ...totals,
    causes: sum.causes.list(),
    datasets: Object.fromEntries([...sum.datasets].map(([name, counter]) => [name, counter.totals()])),
    ...written,
    withinTolerance: statusCode !== 500 && !wasStopped && share <= toleratedFailurePercentage,
  };
}

function summaryMessage(sum: LoadSum, wasStopped: boolean, unread: number, isDry: boolean): string {
  const totals = sum.all.totals();
  const dropped = Object.values(totals.invalid_records).reduce((all, rows) => all + rows, 0);
  const what = `${number(totals.points_written, 'point')} of ${number(totals.source_records, 'row')} in ${number(sum.files, 'file')}`;
  const failed = `${number(totals.failed_points, 'point')} in ${number(totals.failed_batches, 'failed batch', 'failed batches')}`;
  const parts = [
    isDry ? `dry run: ${what} would be written` : `${what} written`,
    ...(dropped > 0 ? [`${number(dropped, 'invalid row')} ${isDry ? 'would be dropped' : 'dropped'}`] : []),
    ...(totals.rejected_points > 0 ? [`${number(totals.rejected_points, 'point')} rejected by InfluxDB`] : []),
    ...(totals.failed_points > 0 ? [failed] : []),
    ...(sum.failed > 0 ? [`${grouped(sum.failed)} of ${number(sum.items, 'item')} failed`] : []),
    ...(wasStopped ? ['the load was stopped before it was complete'] : []),
    ...(unread > 0
      ? [`these are minimums: the results of ${number(unread, 'failed item')} were not read before the deadline`]
      : []),
  ];
  return parts.join('; ');
}
