/** The step PlanLoad: lists the files of a load, plans each from its footer, and writes the items for the workflow's map. */
import { z } from 'zod';
import { DataConversionError, InvalidEventError, S3UnavailableError, UnexpectedError } from '../errors';
import { validate } from '../validation';
import { inOrder } from './in-order';
import { JsonLines } from './json-lines';
import { type Load, loadSchema } from './load';
import type { ObjectRef, ObjectStore } from './objects';
import { type Candidate, type Continuation, candidates, continuationSchema } from './plan-candidates';
import { planExport, planExportFile } from './plan-export';
import { type FilePlanner, planFile } from './plan-file';
import type { PlanItem, Unplanned } from './plan-item';
import { workKey } from './work-keys';

/** Files planned concurrently: enough to hide the latency of S3, and few enough for the memory of a small function. */
const FILES_AT_ONCE = 64;
/** Maximum size of a part of a plan: about 100,000 files of one item. */
const PLAN_BYTES = 64 * 1024 * 1024;

const inputSchema = z.object({
  load: loadSchema,
  part: z.number().int().min(0),
  continuation: continuationSchema.nullable(),
});

export interface PlanServices extends FilePlanner {
  readonly workBucket: string;
  /** Aborts when the time for planning is over. Then this part ends and the next part continues. */
  readonly deadline: AbortSignal;
  /** Size at which a part of a plan ends, bytes. */
  readonly planBytes?: number;
}

/** The result of planning a part, as JSON. */
export interface PlanResult {
  /** The items as JSON Lines; empty if `items` is 0. */
  readonly plan: ObjectRef;
  readonly part: number;
  readonly items: number;
  /** Files that were planned, including files without rows. */
  readonly files: number;
  readonly rows: number;
  /** Compressed bytes to read. */
  readonly bytes: number;
  /** Files that could not be planned. They count as failed items; their causes are in `unplanned-<part>.jsonl`. */
  readonly unplanned: number;
  /** Keys under a prefix that were left out, because their names are not names of Parquet files. */
  readonly ignored: number;
  /** The continuation for the next part; null if the plan is complete. */
  readonly continuation: Continuation | null;
}

/**
 * Plans a part of a load, and writes `plan-<part>.jsonl` and `unplanned-<part>.jsonl`. A repetition writes the same.
 * @throws InvalidEventError for an invalid input or an empty load; errors of the store if it cannot be listed
 */
export async function planLoad(event: unknown, services: PlanServices): Promise<PlanResult> {
  const { load, part, continuation } = validate(inputSchema, event, 'the input');
  const { objects, workBucket, deadline, planBytes = PLAN_BYTES } = services;
  const items = new JsonLines();
  const unplanned = new JsonLines();
  const totals = { items: 0, files: 0, rows: 0, bytes: 0, unplanned: 0, ignored: 0 };
  let next: Continuation | null = null;

  const exported = 'export' in load.source ? await planExport(load.loadId, load.source, services) : undefined;
  if (exported && part === 0) totals.ignored = exported.ignored;
  const found = candidates(load, continuation, objects, exported?.candidates);
  for await (const planned of inOrder(found, FILES_AT_ONCE, (candidate, signal) =>
    planCandidate(candidate, load, services, signal),
  )) {
    totals.ignored += planned.ignored;
    if (planned.failure) {
      totals.unplanned += 1;
      unplanned.add(planned.failure);
    } else if (!planned.ignored) {
      totals.files += planned.isRepeat ? 0 : 1;
      for (const item of planned.items) {
        totals.items += 1;
        totals.rows += item.rows;
        totals.bytes += item.bytes;
        items.add(item);
      }
    }
    if (deadline.aborted || items.bytes >= planBytes) {
      next = planned.position;
      break;
    }
  }
  // The export of an empty table has no files.
  if (!exported && part === 0 && next === null && totals.files + totals.unplanned === 0)
    throw nothingFound(load, totals.ignored, objects);

  const plan = { bucket: workBucket, key: workKey(load.loadId, `plan-${part}.jsonl`) };
  await objects.write(plan, items.text(), 'application/x-ndjson');
  const rest = { bucket: workBucket, key: workKey(load.loadId, `unplanned-${part}.jsonl`) };
  await objects.write(rest, unplanned.text(), 'application/x-ndjson');
  return { plan, part, ...totals, continuation: next };
}

interface Planned {
  readonly position: Continuation;
  readonly items: readonly PlanItem[];
  readonly ignored: number;
  readonly failure?: Unplanned;
  /** Whether the file was counted already, with an earlier item. */
  readonly isRepeat?: boolean;
}

async function planCandidate(
  candidate: Candidate,
  load: Load,
  services: PlanServices,
  signal: AbortSignal,
): Promise<Planned> {
  const { position, ref, isRepeat = false } = candidate;
  const planned = { position, isRepeat, ignored: 0, items: [] };
  try {
    const choice = await candidate.choose();
    if (choice.kind === 'ignored') return { ...planned, ignored: 1 };
    if (choice.kind === 'done') return planned;
    if (choice.kind === 'item') return { ...planned, items: [choice.item] };
    if (choice.kind === 'export') {
      const { items } = await planExportFile(ref, choice.version, choice.part, services, signal);
      return { ...planned, items };
    }
    if (!choice.version) throw new DataConversionError(`${services.objects.nameOf(ref)}: the object does not exist`);
    const { items } = await planFile(choice.version, choice.dataset ?? load.dataset, services, signal);
    return { ...planned, items };
  } catch (error) {
    // If S3 is unavailable, the step fails and the workflow retries it. Any other error concerns only this file.
    if (error instanceof S3UnavailableError) throw error;
    const { bucket, key } = ref;
    const failure = { bucket, key, ...failureOf(error, services.objects.nameOf(ref)) };
    return { ...planned, failure: { ...failure, ...(candidate.export && { export: candidate.export }) } };
  }
}

/** The reason that a file cannot be planned, with the name of the file. */
function failureOf(thrown: unknown, name: string): { error: string; cause: string } {
  const isKnown = thrown instanceof DataConversionError || thrown instanceof InvalidEventError;
  const { name: error, message } = isKnown ? thrown : new UnexpectedError(String(thrown));
  return { error, cause: message.startsWith(name) ? message : `${name}: ${message}` };
}

function nothingFound({ source }: Load, ignored: number, objects: ObjectStore): Error {
  if (!('prefix' in source)) return new InvalidEventError('the plan has no items');
  const others = ignored > 0 ? ` (${ignored} other keys were left out)` : '';
  return new InvalidEventError(
    `no Parquet file under ${objects.nameOf({ bucket: source.bucket, key: source.prefix })}${others}`,
  );
}
