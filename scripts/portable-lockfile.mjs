/**
 * Makes package-lock.json the same for every machine; run it after `npm install` changed the file.
 * - Download addresses go: versions and integrity hashes pin the packages, each machine has its own registry.
 * - Platform packages that a mirror does not serve come back: npm leaves out an optional package that it cannot fetch, and then
 *   `npm ci` refuses the file. They carry no hash, as nobody here could compute it.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const PLATFORM =
  /-(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/;

const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { packages } = lockfile;

for (const entry of Object.values(packages)) {
  if (/^https?:/.test(entry.resolved ?? '')) delete entry.resolved;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const platform = PLATFORM.exec(name);
    if (packages[`node_modules/${name}`] || !platform) continue;
    const [, os, cpu, libc] = platform;
    packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(entry.dev && { dev: true }),
      ...(os === 'linux' && { libc: [libc?.startsWith('musl') ? 'musl' : 'glibc'] }),
      optional: true,
      os: [os],
    };
  }
}

lockfile.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`);
