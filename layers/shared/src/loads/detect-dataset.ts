/** The step DetectDataset: reads the load from the input of an execution, and makes it small enough to pass from step to step. */
import { z } from 'zod';
import { validate } from '../validation';
import { JsonLines } from './json-lines';
import { type Load, type LoadRules, loadSchema, readLoad } from './load';
import type { ObjectStore } from './objects';
import { workKey } from './work-keys';

const eventSchema = z.object({ loadId: loadSchema.shape.loadId, input: z.unknown() });

export interface DetectServices extends LoadRules {
  readonly objects: Pick<ObjectStore, 'write'>;
  readonly workBucket: string;
}

/**
 * Returns the load of `{loadId, input}`. A list of keys is written to the work bucket as `keys.jsonl`, without duplicates, and becomes
 * the source of the load, because a list of keys may nearly fill the 256 KB of a state.
 * @throws as readLoad; S3UnavailableError if the keys cannot be written
 */
export async function detectDatasetStep(event: unknown, services: DetectServices): Promise<Load> {
  const { loadId, input } = validate(eventSchema, event, 'the event');
  const { source, ...load } = readLoad(loadId, input, services);
  if (!('keys' in source)) return { ...load, source };
  const { objects, workBucket } = services;
  const lines = new JsonLines();
  for (const key of new Set(source.keys)) lines.add({ bucket: source.bucket, key });
  const plan = { bucket: workBucket, key: workKey(loadId, 'keys.jsonl') };
  await objects.write(plan, lines.text(), 'application/x-ndjson');
  return { ...load, source: { plan: `s3://${plan.bucket}/${plan.key}` } };
}
