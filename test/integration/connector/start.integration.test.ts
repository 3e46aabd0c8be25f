/** `npm start`, as a program: what it refuses before it listens. */
import { execFileSync, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../..');
const start = (...args: string[]) =>
  spawnSync(process.execPath, ['bin/influxdb-timestream.mjs', 'start', '--port', '0', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' },
    timeout: 30_000,
  });

beforeAll(() => execFileSync(process.execPath, ['scripts/bundle-cli.mjs'], { cwd: ROOT }));

test('--aws without credentials is refused, with what to set', () => {
  const { status, stderr } = start('--aws');
  expect(stderr).toMatch(/no AWS credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID/);
  expect(status).toBe(2);
});

test.each([
  [['--aws', '--memory'], /^--memory is of the embedded Timestream/],
  [['--aws', '--data-dir', 'x'], /^--data-dir is of the embedded Timestream/],
  [['--aws', '--timestream-port', '1'], /^--timestream-port is of the embedded Timestream/],
  [['--token', ''], /'--token <TOKEN>' argument '.*' is invalid\. It must be a text/],
  [['--memory', '--token', 'a', '--token', 'b c'], /'--token <TOKEN>' argument '.*' is invalid\. It must be a text/],
])('%j is refused', (args, message) => {
  const { status, stderr } = start(...args);
  expect(stderr).toMatch(message);
  expect(status).toBe(2);
});
