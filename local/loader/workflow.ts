/** Runs the workflow on this machine: the same steps in the same order, with concurrent items instead of invocations. */
import { InfluxDBConnectionError } from 'shared/errors';
import { detectDatasetStep } from 'shared/loads/detect-dataset';
import type { ItemResult } from 'shared/loads/item-result';
import { jsonObjects } from 'shared/loads/json-objects';
import type { Load } from 'shared/loads/load';
import { type LoadServices, loadItem, readLoadBatch } from 'shared/loads/load-item';
import type { ObjectRef } from 'shared/loads/objects';
import type { PlanItem } from 'shared/loads/plan-item';
import { type PlanResult, type PlanServices, planLoad } from 'shared/loads/plan-load';
import { summarizeLoad } from 'shared/loads/summarize-load';
import type { Summary } from 'shared/loads/summary';
import { workKey } from 'shared/loads/work-keys';
import { MapResults } from './map-results';

export interface WorkflowServices {
  readonly plan: PlanServices;
  readonly load: LoadServices;
  /** Throws if InfluxDB cannot be written to. */
  readonly check: () => Promise<unknown>;
  /** Called with each part of the plan before its items are loaded. */
  readonly onPlan?: (plan: PlanResult) => void;
  /** Called before an item is loaded. */
  readonly onStart?: (item: PlanItem) => void;
  readonly onItem?: (item: PlanItem, result: ItemResult | Error) => void;
  /** Ends the load early; the summary then covers the points stored so far. */
  readonly signal?: AbortSignal;
  /** The load writes no points, and its summary says so. */
  readonly dryRun?: boolean;
}

const INTERRUPTED = { error: 'Interrupted', cause: 'the load was interrupted' } as const;

type Failure = { readonly error: string; readonly cause: string };
interface Part {
  readonly plan: PlanResult;
  readonly results: { readonly bucket: string; readonly manifestKey: string } | null;
  readonly error: Failure | null;
}

/**
 * Loads the objects of the input and summarizes the load. It ends early if too many items fail, or InfluxDB stays unavailable.
 * @throws any error of a step before the first item is started
 */
export async function runLoad(loadId: string, input: unknown, services: WorkflowServices): Promise<Summary> {
  const load = await detectDatasetStep(
    { loadId, input },
    {
      ...services.plan,
      reservedConcurrency: undefined,
      nameOf: (ref) => services.plan.objects.nameOf(ref),
    },
  );
  if (load.ignored > 0) return await summarizeLoad({ load, parts: [], error: null }, services.plan);
  await services.check();
  const parts: Part[] = [];
  let error: Failure | null = null;
  for (let next: PlanResult['continuation'] = null; parts.length === 0 || next !== null; ) {
    if (services.signal?.aborted) {
      error = INTERRUPTED;
      break;
    }
    const plan: PlanResult | Failure = await planPart(load, parts.length, next, services.plan);
    if ('error' in plan) {
      error = plan;
      break;
    }
    services.onPlan?.(plan);
    const part = plan.items === 0 ? { plan, results: null, error: null } : await loadPart(load, plan, services);
    parts.push(part);
    if (part.error) break;
    next = plan.continuation;
  }
  // The summary of an interrupted load must be complete too, so it gets a signal that never aborts.
  const deadline = new AbortController().signal;
  return await summarizeLoad({ load, parts, error }, { ...services.plan, deadline, dryRun: services.dryRun });
}

/** Plans a part. A failure of a later part ends the load with a summary; a failure of the first part is thrown. */
async function planPart(
  load: Load,
  part: number,
  continuation: PlanResult['continuation'],
  services: PlanServices,
): Promise<PlanResult | Failure> {
  try {
    return await planLoad({ load, part, continuation }, services);
  } catch (thrown) {
    if (part === 0) throw thrown;
    return failureOf(thrown);
  }
}

/** Loads the items of a part of the plan. */
async function loadPart(load: Load, plan: PlanResult, services: WorkflowServices): Promise<Part> {
  const { objects } = services.plan;
  const prefix: ObjectRef = { bucket: plan.plan.bucket, key: workKey(load.loadId, `results-${plan.part}`) };
  const results = new MapResults(objects, prefix);
  const under = new Set<Promise<void>>();
  let failed = 0;
  let started = 0;
  let stop: Failure | null = null;

  const one = async (item: PlanItem): Promise<void> => {
    try {
      services.onStart?.(item);
      const result = await loadItem(load.loadId, item, services.load);
      results.succeeded({ loadId: load.loadId, item }, result);
      services.onItem?.(item, result);
    } catch (thrown) {
      const failure = services.signal?.aborted ? INTERRUPTED : failureOf(thrown);
      results.failed({ loadId: load.loadId, item }, failure);
      services.onItem?.(item, thrown instanceof Error ? thrown : new Error(String(thrown)));
      failed += 1;
      const isBeyond = failed * 100 > load.toleratedFailurePercentage * plan.items;
      if (failure === INTERRUPTED || thrown instanceof InfluxDBConnectionError) stop ??= failure;
      else if (isBeyond) stop ??= { error: 'TooManyFailures', cause: 'more items failed than the load tolerates' };
    }
  };
  const lines = await objects.read(plan.plan);
  if (!lines) throw new Error(`${objects.nameOf(plan.plan)} is missing`);
  for await (const line of jsonObjects(lines, objects.nameOf(plan.plan))) {
    if (services.signal?.aborted) stop ??= INTERRUPTED;
    if (stop) break;
    started += 1;
    const running = one(readLoadBatch({ loadId: load.loadId, item: line }).item).finally(() => under.delete(running));
    under.add(running);
    if (under.size >= load.maxConcurrency) await Promise.race(under);
  }
  await Promise.all(under);
  // It is not worth a message of its own if no item was left to start.
  const isLast = started === plan.items && plan.continuation === null;
  const error = isLast && (stop as Failure | null)?.error === 'TooManyFailures' ? null : stop;
  return { plan, results: await results.finish(), error };
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Error) return { error: thrown.name, cause: thrown.message };
  return { error: 'UnexpectedError', cause: String(thrown) };
}
