/** The write function as it is deployed, for a Lambda-like runtime. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const FOLDER = 'functions/write-line-protocol';
/** The bundles of template.yml: the handler, and the clients of the SDK, which it loads when it needs them. */
const CLIENTS = ['timestream-sdk', 'secrets', 'asynchronous-clients', 'rejected-lines-bucket'];

/** Bundles the function into `folder`/task. */
export function bundleWriteFunction(folder: string): void {
  const sources = ['handler', ...CLIENTS].map((name) => `${FOLDER}/${name}.ts`);
  const external = CLIENTS.map((name) => `--external:./${name}`);
  const options = ['--bundle', '--minify', '--platform=node', '--target=es2022', '--main-fields=module,main'];
  const lazy = '--supported:dynamic-import=false';
  const outdir = `--outdir=${path.join(folder, 'task')}`;
  const cwd = path.resolve(__dirname, '../..');
  const all = [...sources, ...options, lazy, ...external, outdir, '--log-level=error'];
  execFileSync('node_modules/.bin/esbuild', all, { cwd });
}
