/** The published schemas: what is in docs/schemas, by file name. */
import { mappingsSchema } from 'shared/datasets/mapping';
import { summarySchema } from 'shared/loads/summary';
import { proofSchema } from 'shared/migration/proof';
import { z } from 'zod';
import { loadsApi } from './loads-api';
import { migrationsApi } from './migrations-api';

/** @param version of the project */
export function schemaDocuments(version: string): Record<string, string> {
  const documents = {
    'dataset-mappings.schema.json': described(mappingsSchema, 'Dataset mappings: one, or an array of them'),
    'proof.schema.json': described(proofSchema, 'proof.json of a migration'),
    'summary.schema.json': described(summarySchema, 'summary.json of a load'),
    'loads.openapi.json': loadsApi(version),
    'migrations.openapi.json': migrationsApi(version),
  };
  return Object.fromEntries(
    Object.entries(documents).map(([name, document]) => [name, `${JSON.stringify(document, null, 2)}\n`]),
  );
}

/** As a writer of the document sees it: what has a default may be left out. */
function described(schema: z.ZodType, title: string): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { $schema, title, ...rest };
}
