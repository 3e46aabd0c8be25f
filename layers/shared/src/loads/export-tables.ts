/** What the manifests of a load's export say about each table: written by PlanLoad, read by SummarizeLoad. */
import { z } from 'zod';
import { UnexpectedError } from '../errors';
import { validate } from '../validation';
import { type ObjectStore, readText } from './objects';
import { workKey } from './work-keys';

const count = z.number().int().min(0);
const tablesSchema = z.record(
  z.string(),
  z.object({
    queries: count,
    files: count,
    rows: count,
    /** Columns of the export that are not loaded. */
    leftOut: z.array(z.string()),
  }),
);

/** By the table's name. */
export type ExportTables = z.output<typeof tablesSchema>;

interface Place {
  /** The work bucket. */
  readonly bucket: string;
  readonly loadId: string;
}

const refOf = ({ bucket, loadId }: Place) => ({ bucket, key: workKey(loadId, 'export.json') });

export async function saveExportTables(place: Place, tables: ExportTables, objects: ObjectStore): Promise<void> {
  await objects.write(refOf(place), Buffer.from(JSON.stringify(tables, null, 2)), 'application/json');
}

/** Empty for a load that ended before its export was surveyed. @throws UnexpectedError if the file is not valid */
export async function readExportTables(place: Place, objects: ObjectStore): Promise<ExportTables> {
  const ref = refOf(place);
  const text = await readText(objects, ref);
  if (text === undefined) return {};
  try {
    return validate(tablesSchema, JSON.parse(text), objects.nameOf(ref));
  } catch (cause) {
    throw new UnexpectedError(`${objects.nameOf(ref)} is not valid`, { cause });
  }
}
