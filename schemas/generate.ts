/** Writes docs/schemas from the schemas that the code validates with: `npm run generate`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaDocuments } from './documents';

const FOLDER = 'docs/schemas';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
mkdirSync(FOLDER, { recursive: true });
for (const [name, text] of Object.entries(schemaDocuments(version))) {
  writeFileSync(join(FOLDER, name), text);
  console.log(join(FOLDER, name));
}
