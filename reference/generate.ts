/** Writes the generated files: `npm run generate`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { scaleTables } from '../test/simulation/scale/tables';
import { generatedFiles } from './files';
import { SCALE_PAGE, scalePage } from './scale';

async function main(): Promise<void> {
  const scale = { [SCALE_PAGE]: scalePage(readFileSync(SCALE_PAGE, 'utf8'), await scaleTables()) };
  for (const [file, text] of Object.entries({ ...generatedFiles(), ...scale })) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(file);
  }
}

void main();
