/**
 * Makes the software bill of materials of the deployed code (CycloneDX): npm's own, without packages that only development needs. As
 * a program it writes the bill beside the build output, .aws-sam/sbom.cdx.json.
 */
import './require-node.cjs';

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asCommand } from './command.mjs';

/** Dependencies of the command line only; no function uses them. */
const NOT_DEPLOYED = /(?:^|\/)node_modules\/@duckdb\//;
const FOLDER = '.aws-sam';

/**
 * Filters by the lockfile. npm's own `--omit dev`, and also cyclonedx-npm and license-checker, omit a production package if it is a
 * development dependency somewhere too. In the lockfile an entry is `dev` only if development alone needs it; a `devOptional` entry is
 * also an optional dependency of a production package.
 */
export function productionBill() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const options = { encoding: 'utf8', maxBuffer: 256 * 1024 ** 2, stdio: ['ignore', 'pipe', 'inherit'], ...asCommand };
  const bill = JSON.parse(execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--offline'], options));
  const shipped = new Set(
    Object.entries(packages)
      .filter(([path, entry]) => entry.dev !== true && !NOT_DEPLOYED.test(path))
      .map(([path, { name, version }]) => `${name ?? path.replace(/^.*node_modules\//, '')}@${version}`),
  );
  bill.components = bill.components.filter((component) => shipped.has(component['bom-ref']));
  const kept = new Set([bill.metadata.component, ...bill.components].map((component) => component['bom-ref']));
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
  return bill;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}/sbom.cdx.json`, `${JSON.stringify(productionBill(), null, 2)}\n`);
}
