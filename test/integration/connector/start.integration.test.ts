/** `npm start` as a program: errors before it listens. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../..');
const PROGRAM = join(ROOT, 'bin/influxdb-timestream.mjs');
const start = (...args: string[]) =>
  spawnSync(process.execPath, ['bin/influxdb-timestream.mjs', 'start', '--port', '0', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' },
    timeout: 30_000,
  });

beforeAll(() => execFileSync(process.execPath, ['scripts/bundle-cli.mjs'], { cwd: ROOT }));

test('--aws without credentials is refused with the variables to set', () => {
  const { status, stderr } = start('--aws');
  expect(stderr).toMatch(/no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID/);
  expect(status).toBe(2);
});

test.each([
  [['--aws', '--memory'], /^--memory belongs to the embedded Timestream/],
  [['--aws', '--data-dir', 'x'], /^--data-dir belongs to the embedded Timestream/],
  [['--aws', '--timestream-port', '1'], /^--timestream-port belongs to the embedded Timestream/],
  [['--aws', '--timestream-host', 'x'], /^--timestream-host belongs to the embedded Timestream/],
  [['--token', ''], /'--token <TOKEN>' argument '.*' is invalid\. It must be a string/],
  [['--memory', '--token', 'a', '--token', 'b c'], /'--token <TOKEN>' argument '.*' is invalid\. It must be a string/],
])('%j is refused', (args, message) => {
  const { status, stderr } = start(...args);
  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});

test('an unusable data folder is refused with the reason and what to do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'start-'));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  try {
    for (const [dataDir, reason] of [
      [file, 'a file of that name exists'],
      [join(file, 'below'), 'a file of that name exists'],
      ['/proc/data', 'it cannot be created there'],
    ] as const) {
      const { status, stderr } = start('--timestream-port', '0', '--data-dir', dataDir);
      expect(stderr).toBe(
        `the data folder ${dataDir} cannot be used (${reason}): ` +
          'choose another folder with --data-dir, or keep the data in memory with --memory\n',
      );
      expect(status).toBe(2);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The output on stderr until the program is ready. */
async function warnings(...args: string[]): Promise<string> {
  const server = spawn(process.execPath, [
    PROGRAM,
    'start',
    '--port',
    '0',
    '--timestream-port',
    '0',
    '--memory',
    ...args,
  ]);
  let errors = '';
  server.stderr.on('data', (chunk) => (errors += String(chunk)));
  const exited = once(server, 'exit');
  await Promise.race([once(server.stdout, 'data'), exited]);
  server.kill();
  await exited;
  return errors;
}

test('warns if other machines can write without a token', async () => {
  expect(await warnings('--host', '0.0.0.0')).toMatch(
    /^warning: 0\.0\.0\.0 accepts connections from other machines, and no --token is set/,
  );
  expect(await warnings('--host', '0.0.0.0', '--token', 'secret')).toBe('');
  expect(await warnings('--host', '127.0.0.1')).toBe('');
});

test('warns if other machines can connect to the embedded Timestream', async () => {
  expect(await warnings('--timestream-host', '0.0.0.0', '--token', 'secret')).toMatch(
    /^warning: 0\.0\.0\.0 .* the embedded Timestream has no authorization: anyone can read and delete the points/,
  );
  expect(await warnings('--timestream-host', 'localhost')).toBe('');
});

test('--host opens the write endpoint only', async () => {
  const args = ['--port', '0', '--timestream-port', '0', '--memory', '--host', '0.0.0.0', '--token', 'secret'];
  const server = spawn(process.execPath, [PROGRAM, 'start', ...args]);
  const exited = once(server, 'exit');
  try {
    const [output] = (await once(server.stdout, 'data')) as [Buffer];
    expect(String(output)).toMatch(/^InfluxDB v2 write endpoint: http:\/\/0\.0\.0\.0:/);
    const [, port] = /the embedded Timestream at http:\/\/127\.0\.0\.1:(\d+)/.exec(String(output)) ?? [];
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBeLessThan(500);
    // On Linux every address of 127.0.0.0/8 belongs to this machine, so a server on 0.0.0.0 would accept this one.
    await expect(fetch(`http://127.0.0.2:${port}/`)).rejects.toThrow('fetch failed');
  } finally {
    server.kill();
    await exited;
  }
});

test('the first request stores a batch with many new measurements', async () => {
  const server = spawn(process.execPath, [PROGRAM, 'start', '--port', '0', '--timestream-port', '0', '--memory']);
  const exited = once(server, 'exit');
  try {
    const [output] = (await once(server.stdout, 'data')) as [Buffer];
    const [, url] = /^InfluxDB v2 write endpoint: (\S+)/.exec(String(output)) ?? [];
    const body = Array.from({ length: 12 }, (_, n) => `plugin${n},host=a value=${n}`).join('\n');
    // At one table per second this would take longer than the deadline of a request.
    expect((await fetch(`${url}/api/v2/write`, { method: 'POST', body })).status).toBe(204);
  } finally {
    server.kill();
    await exited;
  }
});
