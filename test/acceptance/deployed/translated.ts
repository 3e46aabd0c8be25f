/** template.yml as CloudFormation receives it: translated with the SAM CLI's own translator. It is installed beside `sam`, and so is cfn-lint. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findSam, NO_SAM } from '../../support/ministack';
import type { Template } from '../../unit/stack/template';

const TEMPLATE = path.resolve(__dirname, '../../../template.yml');

/** A program of the environment that `sam` is installed in; undefined if it does not exist. */
function besideSam(program: string): string | undefined {
  const sam = findSam();
  const file = sam === undefined ? '' : path.join(path.dirname(realpathSync(sam)), program);
  return existsSync(file) ? file : undefined;
}

/** Why the template cannot be translated on this machine; undefined if it can. */
export function missingForTranslation(): string | undefined {
  if (findSam() === undefined) return NO_SAM;
  const installed = besideSam('python') !== undefined && besideSam('cfn-lint') !== undefined;
  return installed ? undefined : 'no python and cfn-lint beside sam: pip install aws-sam-cli==1.170.0 into a venv';
}

export interface Translated {
  readonly template: Template;
  /** The logical ids of the resources for each object of parameters, in order, by cfn-lint's evaluation of conditions. */
  readonly resources: readonly (readonly string[])[];
}

export function translate(parameters: readonly Readonly<Record<string, string>>[]): Translated {
  const translator = path.join(__dirname, 'translate.py');
  const input = JSON.stringify(parameters);
  const options = { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, stdio: 'pipe' } as const;
  return JSON.parse(execFileSync(besideSam('python') ?? 'python3', [translator, TEMPLATE], options));
}

/** The findings of cfn-lint in a translated template, with every condition true and false. */
export function findings(template: object): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'translated-'));
  const file = path.join(folder, 'template.json');
  writeFileSync(file, JSON.stringify(template, null, 1));
  const linter = besideSam('cfn-lint') ?? 'cfn-lint';
  const args = ['--template', file, '--regions', 'us-east-1', '--format', 'parseable'];
  const { stdout, stderr } = spawnSync(linter, args, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
}
