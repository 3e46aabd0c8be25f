/**
 * Checks the packages that the project uses: pinned versions, licences, install scripts, known vulnerabilities. The last line is
 * `N passed, N failed, N skipped`; the exit code is 1 if a check failed.
 */
import './require-node.cjs';

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { asCommand } from './command.mjs';
import { productionBill } from './sbom.mjs';

/** Licences that shipped packages may have. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0'];
const isAllowed = (licence) => licence.split(' OR ').some((choice) => ALLOWED.includes(choice));

class Skipped extends Error {}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const installed = Object.entries(packages).filter(([path, { link }]) => path.startsWith('node_modules/') && !link);
const pathsOf = (entries) => entries.map(([path]) => path);

function refuse(what, paths) {
  if (paths.length > 0) throw new Error(`${what}: ${paths.join(', ')}`);
}

const checks = {
  'every package is pinned by version and hash': () => {
    refuse('no version', pathsOf(installed.filter(([, { version }]) => !version)));
    refuse('no SHA-512 hash', pathsOf(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))));
    return `${installed.length} packages`;
  },

  'the lockfile names no registry': () =>
    refuse('an address', pathsOf(installed.filter(([, { resolved }]) => resolved !== undefined))),

  'no install script runs, and none is shipped': () => {
    refuse('an install script', pathsOf(installed.filter(([, entry]) => entry.hasInstallScript && !entry.dev)));
    if (!/^ignore-scripts=true$/m.test(readFileSync('.npmrc', 'utf8')))
      throw new Error('.npmrc does not contain ignore-scripts=true');
  },

  'every package that is shipped has an allowed licence': () => {
    const { components } = productionBill();
    const byLicence = {};
    for (const { name, licenses = [] } of components) {
      const licence = licenses.map(({ license, expression }) => expression ?? license.id ?? license.name).join(' and ');
      byLicence[licence] = [...(byLicence[licence] ?? []), name];
    }
    const table = Object.entries(byLicence).sort();
    for (const [licence, names] of table) console.log(`  ${licence || 'none'}: ${names.sort().join(', ')}`);
    refuse(
      'not allowed',
      table.filter(([licence]) => !isAllowed(licence)).map(([licence, names]) => `${names} (${licence || 'none'})`),
    );
    return `${components.length} packages`;
  },

  'no known vulnerability of severity high or critical': () => {
    const { stdout } = spawnSync('npm', ['audit', '--json', '--audit-level', 'high'], {
      encoding: 'utf8',
      ...asCommand,
    });
    const { metadata, message, vulnerabilities } = JSON.parse(stdout || '{"message":"npm audit printed nothing"}');
    if (metadata === undefined) throw new Skipped(message);
    const bad = Object.values(vulnerabilities).filter(({ severity }) => ['high', 'critical'].includes(severity));
    refuse(
      'vulnerable',
      bad.map(({ name, severity }) => `${name} (${severity})`),
    );
  },
};

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const [name, check] of Object.entries(checks)) {
  let result = 'passed';
  let detail;
  try {
    detail = check();
  } catch (error) {
    result = error instanceof Skipped ? 'skipped' : 'failed';
    detail = error.message;
  }
  counts[result]++;
  console.log(`${result}: ${name}${detail === undefined ? '' : `: ${detail}`}`);
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;
