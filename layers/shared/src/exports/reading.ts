/** How the files of an export are read: a small document in the work bucket that the items of a plan name. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CsvFormat } from '../csv/format';
import { type DatasetMapping, parseMappings } from '../datasets/mapping';
import { DataConversionError } from '../errors';
import { type ObjectRef, type ObjectStore, readText } from '../loads/objects';
import { parseDocument } from './document';

const csvSchema = z.object({ columns: z.array(z.string()), delimiter: z.string(), escape: z.string() });
const documentSchema = z.object({ mapping: z.unknown(), csv: csvSchema.nullable() });

export interface ExportReading {
  readonly mapping: DatasetMapping;
  /** Null for Parquet, whose files describe their columns themselves. */
  readonly csv: CsvFormat | null;
}

/** Documents kept in memory, for each store. */
const MAX_KEPT = 500;
const kept = new WeakMap<object, Map<string, Promise<ExportReading>>>();

/** The name of the document: equal readings have one document. */
export function readingName(reading: ExportReading): string {
  const hash = createHash('sha256').update(JSON.stringify(reading)).digest('hex').slice(0, 16);
  return `mappings/${hash}.json`;
}

export async function saveReading(ref: ObjectRef, reading: ExportReading, objects: ObjectStore): Promise<void> {
  await objects.write(ref, Buffer.from(JSON.stringify(reading, null, 2)), 'application/json');
}

/**
 * The reading at an address; a document is read once per process.
 * @throws DataConversionError if the document is missing or not valid
 */
export function loadReading(ref: ObjectRef, objects: ObjectStore): Promise<ExportReading> {
  const readings = kept.get(objects) ?? new Map<string, Promise<ExportReading>>();
  kept.set(objects, readings);
  const name = objects.nameOf(ref);
  const known = readings.get(name);
  if (known) return known;
  if (readings.size >= MAX_KEPT) readings.clear();
  const reading = readReading(ref, name, objects);
  readings.set(name, reading);
  // An error, such as a store that is not available, is not kept.
  reading.catch(() => readings.delete(name));
  return reading;
}

async function readReading(ref: ObjectRef, name: string, objects: ObjectStore): Promise<ExportReading> {
  const text = await readText(objects, ref);
  if (text === undefined) {
    throw new DataConversionError(`${name}, the mapping of an export, does not exist: load the export again`);
  }
  const { mapping, csv } = parseDocument(documentSchema, text, name);
  const [parsed] = parseMappings(JSON.stringify(mapping), name);
  if (!parsed) throw new DataConversionError(`${name} has no mapping`);
  return { mapping: parsed, csv };
}
