/** Runs the bundled command line as a user does. */
import { execFile, execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

export const ROOT = resolve(__dirname, '../../..');
/** The cache folder of the user. */
export const CACHE = join(ROOT, '.build/cache');
const PROGRAM = join(ROOT, 'bin/influxdb-timestream.mjs');

/** Bundles the program once, before the tests of a file. */
export const bundleProgram = (): void => {
  execFileSync(process.execPath, ['scripts/bundle-cli.mjs'], { cwd: ROOT });
};

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs without the settings in the environment. */
export function runProgram(argv: readonly string[], { cwd = ROOT, env = {}, input }: RunOptions = {}): Promise<Ended> {
  return new Promise((done) => {
    const options = { cwd, env: { PATH: process.env.PATH, XDG_CACHE_HOME: CACHE, ...env } };
    const child = execFile(process.execPath, [PROGRAM, ...argv], options, (error, out, err) =>
      done({ code: Number(error?.code ?? 0), out, err }),
    );
    child.stdin?.end(input ?? '');
  });
}
