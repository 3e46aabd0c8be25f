/**
 * Runs each shell block of README.md and docs/ as pasted, page by page and in order, in a copy of the project. The words after `sh` say
 * what a block needs beside Node.js: `influxd` (a real InfluxDB on port 8086), `aws`, `docker`. The last two are not run.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { findInfluxd, Influxd } from '../support/influxd';

const ROOT = join(__dirname, '../..');
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
]
  .filter((name) => name.endsWith('.md'))
  .sort();
const NEEDS = ['influxd', 'aws', 'docker'];
/** The ports that the pages name. */
const PORTS = [9000, 9001, 8086];
const BLOCK_MS = 180_000;

interface Block {
  readonly page: string;
  readonly line: number;
  readonly needs: readonly string[];
  readonly text: string;
}

const blocks = PAGES.flatMap(blocksOf);
const pages = PAGES.filter((page) => blocks.some((block) => block.page === page && isRun(block)));
const folder = mkdtempSync(join(tmpdir(), 'pasted-'));
/** At the top of the copy, before a page ran. */
let originals: ReadonlySet<string>;
let influxd: Influxd | undefined;
let server: ChildProcess | undefined;

beforeAll(async () => {
  await Promise.all(PORTS.map(refuseTaken));
  const files = execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
  for (const file of files.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
  originals = new Set(readdirSync(folder));
  const binary = findInfluxd();
  if (binary) influxd = await Influxd.start(binary, { port: 8086, token: 'my-token' });
}, 120_000);

afterAll(async () => {
  await stopServer();
  await influxd?.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('each shell block says what it needs in known words', () => {
  const unknown = blocks.flatMap(({ page, line, needs }) =>
    needs.filter((need) => !NEEDS.includes(need)).map((need) => `${page}:${line}: ${need}`),
  );
  expect(unknown).toEqual([]);
});

describe.each(pages)('%s', (page) => {
  beforeAll(async () => {
    const startsItself = blocks.some((block) => block.page === page && isRun(block) && /^npm start/m.test(block.text));
    if (page !== 'README.md' && !startsItself) await startServer('npm start');
  }, BLOCK_MS);
  afterAll(async () => {
    await stopServer();
    removeNewFiles();
  });

  for (const block of blocks.filter((one) => one.page === page && isRun(one))) {
    const title = `line ${block.line}: ${block.text.split('\n')[0]}`;
    const isSkipped = block.needs.includes('influxd') && findInfluxd() === undefined;
    (isSkipped ? test.skip : test)(
      isSkipped ? `${title} (no influxd: set INFLUXD)` : title,
      () => run(block),
      BLOCK_MS,
    );
  }
});

/** The whole block succeeds, and no HTTP response that it prints is an error. */
async function run({ text }: Block): Promise<void> {
  const at = text.search(/^npm start/m);
  const [before, start] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at)];
  if (before.trim() !== '') {
    const output = await pasted(before);
    expect(output).not.toMatch(/^HTTP\/[\d.]+ [345]/m);
  }
  if (start !== undefined) {
    // A page that starts it again has told its reader to stop it.
    await stopServer();
    await startServer(start);
  }
}

async function pasted(commands: string): Promise<string> {
  const shell = spawn('bash', ['-eo', 'pipefail', '-c', commands], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  shell.stdout.on('data', (chunk) => {
    output += chunk;
  });
  shell.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [code] = await once(shell, 'close');
  if (code !== 0) throw new Error(`exit code ${code}\n${commands}\n${output}${errors}`);
  return output;
}

/** Each page begins as in a fresh clone, but for what `npm ci` and the first bundle made. */
function removeNewFiles(): void {
  for (const name of readdirSync(folder)) {
    if (!originals.has(name) && !['node_modules', 'dist'].includes(name))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Starts the local server and waits until it says that it is ready. */
async function startServer(command: string): Promise<void> {
  const started = spawn('bash', ['-c', `exec ${command}`], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  server = started;
  for await (const line of createInterface({ input: started.stdout })) if (line.includes('Ctrl-C stops')) return;
  throw new Error(`'${command}' ended before it was ready`);
}

async function stopServer(): Promise<void> {
  const running = server;
  server = undefined;
  if (running?.pid === undefined || running.exitCode !== null) return;
  const exited = once(running, 'exit');
  process.kill(-running.pid, 'SIGTERM');
  await exited;
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```sh(?: (.*))?\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length,
    needs: (match[1] ?? '').split(' ').filter((word) => word !== ''),
    text: match[2] ?? '',
  }));
}

function isRun({ needs }: Block): boolean {
  return !needs.includes('aws') && !needs.includes('docker');
}

async function refuseTaken(port: number): Promise<void> {
  const probe = createServer().listen(port, '127.0.0.1');
  await Promise.race([once(probe, 'listening'), once(probe, 'error').then(([error]) => Promise.reject(error))]);
  await new Promise((resolve) => probe.close(resolve));
}
