/** The step PlanLoad: lists the files of a load, plans each from its footer, and writes the items for the workflow to fan out over. */
import { z } from 'zod';
import { DataConversionError, InvalidEventError, S3UnavailableError, UnexpectedError } from '../errors';
import { validate } from '../validation';
import { inOrder } from './in-order';
import { JsonLines } from './json-lines';
import { type Load, loadSchema } from './load';
import type { ObjectRef, ObjectStore } from './objects';
import { type Candidate, type Continuation, candidates, continuationSchema } from './plan-candidates';
import { type FilePlanner, planFile } from './plan-file';
import type { PlanItem, Unplanned } from './plan-item';
import { workKey } from './work-keys';

/** Files looked at once: enough to hide S3's latency, and few enough for the memory of a small function. */
const FILES_AT_ONCE = 64;
/** A plan of this size ends: about 100,000 files of one item. */
const PLAN_BYTES = 64 * 1024 * 1024;

const inputSchema = z.object({
  load: loadSchema,
  part: z.number().int().min(0),
  continuation: continuationSchema.nullable(),
});

export interface PlanServices extends FilePlanner {
  readonly workBucket: string;
  /** Aborts when the time for planning is over: the part then ends and the next one goes on. */
  readonly deadline: AbortSignal;
  /** Bytes of a plan at which its part ends. */
  readonly planBytes?: number;
}

/** What became of a part of the plan; JSON. */
export interface PlanResult {
  /** JSON Lines of items; without any, where `items` is 0. */
  readonly plan: ObjectRef;
  readonly part: number;
  readonly items: number;
  /** Files that can be loaded, those without rows among them. */
  readonly files: number;
  readonly rows: number;
  /** Compressed bytes to read. */
  readonly bytes: number;
  /** Files that cannot be planned; they count as failed items, and their causes are in `unplanned-<part>.jsonl`. */
  readonly unplanned: number;
  /** Keys under a prefix that were left out, as their names are not of Parquet files. */
  readonly ignored: number;
  /** What the next part is to be given; null where the plan is complete. */
  readonly continuation: Continuation | null;
}

/**
 * Plans a part of a load, and writes `plan-<part>.jsonl` and `unplanned-<part>.jsonl`. Done again it writes the same.
 * @throws InvalidEventError for an input that is none, and for a load of nothing; what the store throws where it cannot be listed
 */
export async function planLoad(event: unknown, services: PlanServices): Promise<PlanResult> {
  const { load, part, continuation } = validate(inputSchema, event, 'the input');
  const { objects, workBucket, deadline, planBytes = PLAN_BYTES } = services;
  const items = new JsonLines();
  const unplanned = new JsonLines();
  const totals = { items: 0, files: 0, rows: 0, bytes: 0, unplanned: 0, ignored: 0 };
  let next: Continuation | null = null;

  const found = candidates(load, continuation, objects);
  for await (const planned of inOrder(found, FILES_AT_ONCE, (candidate, signal) =>
    planCandidate(candidate, load, services, signal),
  )) {
    if (next !== null) break;
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
    if (deadline.aborted || items.bytes >= planBytes) next = planned.position;
  }
  if (part === 0 && next === null && totals.files + totals.unplanned === 0)
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
  /** A further item of a file that was counted already. */
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
    if (!choice.version) throw new DataConversionError(`${services.objects.nameOf(ref)}: there is no such object`);
    const { items } = await planFile(choice.version, choice.dataset ?? load.dataset, services, signal);
    return { ...planned, items };
  } catch (error) {
    // S3 out of reach is no file's fault: the step fails and is done again. Whatever else happens is of this file alone.
    if (error instanceof S3UnavailableError) throw error;
    const { bucket, key } = ref;
    return { ...planned, failure: { bucket, key, ...failureOf(error, services.objects.nameOf(ref)) } };
  }
}

/** Why a file cannot be planned, with its name. */
function failureOf(thrown: unknown, name: string): { error: string; cause: string } {
  const { name: error, message } = thrown instanceof DataConversionError ? thrown : new UnexpectedError(String(thrown));
  return { error, cause: message.startsWith(name) ? message : `${name}: ${message}` };
}

function nothingFound({ source }: Load, ignored: number, objects: ObjectStore): Error {
  if (!('prefix' in source)) return new InvalidEventError('the plan holds no item to load');
  const others = ignored > 0 ? ` (${ignored} other keys were left out)` : '';
  return new InvalidEventError(
    `no Parquet file under ${objects.nameOf({ bucket: source.bucket, key: source.prefix })}${others}`,
  );
}
