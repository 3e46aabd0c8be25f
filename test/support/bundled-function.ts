/** The write function as one file, for a Lambda-like runtime. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Bundles the function, with the layer inside, into `folder`/task/handler.js. */
export function bundleWriteFunction(folder: string): void {
  const source = 'functions/write-line-protocol/handler.ts';
  const options = ['--bundle', '--platform=node', '--main-fields=module,main', '--external:./asynchronous-clients'];
  const outfile = `--outfile=${path.join(folder, 'task/handler.js')}`;
  const cwd = path.resolve(__dirname, '../..');
  execFileSync('node_modules/.bin/esbuild', [source, ...options, outfile, '--log-level=error'], { cwd });
}
