/** Every file that is generated from the code and the template, without docs/scale.md (`scale`), whose simulation takes seconds. */
import { readFileSync } from 'node:fs';
import { schemaDocuments } from '../schemas/documents';
import { commandLinePage } from './command-line';
import { parametersPage } from './parameters';
import { permissionsPage } from './permissions';
import { readTemplate } from './template';

/** @returns the text of each file by its path below the project's root, which is the current directory */
export function generatedFiles(): Record<string, string> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const template = readTemplate(readFileSync('template.yml', 'utf8'));
  const schemas = Object.entries(schemaDocuments(version)).map(([name, text]) => [`docs/schemas/${name}`, text]);
  return {
    ...Object.fromEntries(schemas),
    'docs/command-line.md': commandLinePage(),
    'docs/parameters.md': parametersPage(template),
    'docs/permissions.md': permissionsPage(template),
  };
}
