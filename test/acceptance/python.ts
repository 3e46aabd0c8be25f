/** Python programs of this suite, with their packages in virtual environments. */
import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { runs } from './commands';

const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'influxdb-timestream-connector');

export interface Python {
  /** The interpreter of the environment; its programs are beside it. */
  readonly python: string;
  /** Why the environment is missing, and what to install; undefined if it exists. */
  readonly missing: string | undefined;
}

/**
 * Installs packages at the first use on a machine. The first package, with its version, names the environment.
 * @param module can be imported if the packages are installed
 */
export function pythonWith(module: string, ...packages: readonly [string, ...string[]]): Python {
  const venv = path.join(CACHE, packages[0].replace('==', '-').replace(/\[.*\]/, ''));
  const python = path.join(venv, 'bin/python');
  const found = { python, missing: undefined };
  if (existsSync(python) && runs(python, '-c', `import ${module}`)) return found;
  if (!runs('python3', '-m', 'venv', '--help')) {
    return { python, missing: 'no python3 with venv: install Python 3.10 or newer' };
  }
  rmSync(venv, { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  if (runs('python3', '-m', 'venv', venv) && runs(python, ...pip)) return found;
  rmSync(venv, { recursive: true, force: true });
  return { python, missing: `${packages[0]} cannot be installed: \`pip install ${packages.join(' ')}\` says why` };
}

/** Runs a program of this folder: one line of JSON per input value, one line of JSON per result. */
export function runPython(python: string, program: string, input: Iterable<unknown> = [], ...args: string[]) {
  const text = Array.from(input, (value) => `${JSON.stringify(value)}\n`).join('');
  return new Promise<unknown[]>((resolve, reject) => {
    const options = { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 } as const;
    const child = execFile(python, [path.join(__dirname, program), ...args], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} failed: ${stderr || error.message}`));
      else resolve(stdout.split('\n').filter(Boolean).map(parsed));
    });
    child.stdin?.end(text);
  });
}

const parsed = (line: string): unknown => JSON.parse(line);
