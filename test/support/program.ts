/** Runs a TypeScript file of the tests as a separate process, for properties of a process such as memory and trusted authorities. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { basename, join } from 'node:path';

const ROOT = join(__dirname, '../..');

export interface ProgramOptions {
  /** Options of Node, such as --expose-gc. */
  readonly flags?: readonly string[];
  readonly arguments?: readonly string[];
  /** Variables in addition to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Bundles the file and starts it. @param source its path below the project's folder */
export function startProgram(source: string, options: ProgramOptions = {}): ChildProcessWithoutNullStreams {
  // As deep as its source, so that relative paths to fixtures stay valid.
  const outfile = join(ROOT, '.build/test', `${basename(source, '.ts')}.cjs`);
  const external = ['--external:parquet-wasm', '--external:@duckdb/node-api'];
  const bundling = ['--bundle', '--platform=node', '--target=node20', ...external, '--log-level=error'];
  execFileSync('node_modules/.bin/esbuild', [source, ...bundling, `--outfile=${outfile}`], { cwd: ROOT });
  return spawn(process.execPath, [...(options.flags ?? []), outfile, ...(options.arguments ?? [])], {
    cwd: ROOT,
    env: { ...process.env, ...options.environment },
  });
}

/** Runs the file to its end. Returns its output, as JSON. @throws Error with its stderr if it failed */
export async function runProgram(source: string, options: ProgramOptions = {}): Promise<unknown> {
  const child = startProgram(source, options);
  const printed = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    printed.out += text;
  });
  child.stderr.on('data', (text) => {
    printed.err += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${source} ended with ${code}: ${printed.err}`);
  return JSON.parse(printed.out);
}
