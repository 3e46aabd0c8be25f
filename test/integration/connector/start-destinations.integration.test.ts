/** `npm start --destination`: errors before it listens, its welcome, and where points are stored. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { loadConnectorConfig } from 'shared/config';
import { unwritableWarning } from '../../../local/connector/unwritable';
import { type ScriptedInfluxDB, STORED, scriptedInfluxDB } from '../../support/scripted-influxdb';
import type { Answer } from '../../support/scripted-server';

const ROOT = resolve(__dirname, '../../..');
const PROGRAM = join(ROOT, 'bin/influxdb-timestream.mjs');
const SECRET = 'top-secret-token';
const influxdb = scriptedInfluxDB();

beforeAll(() => execFileSync(process.execPath, ['scripts/bundle-cli.mjs'], { cwd: ROOT }));

const environment = (env: Readonly<Record<string, string>>) => ({
  PATH: process.env.PATH,
  AWS_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  ...env,
});

const URL_OPTION = ['--influxdb-url', 'http://127.0.0.1:1'];

test.each<[string[], RegExp]>([
  [['--destination', 'nowhere'], /--destination must be one of timestream, both, influxdb, not 'nowhere'/],
  [['--destination', 'influxdb'], /--influxdb-url is missing/],
  [
    ['--destination', 'both', '--influxdb-url', 'host:8086'],
    /--influxdb-url must be a URL with http or https, and its port/,
  ],
  [
    ['--destination', 'both', '--influxdb-url', `http://u:${SECRET}@h:1`],
    /--influxdb-url must not contain credentials/,
  ],
  [['--destination', 'both', ...URL_OPTION, '--influxdb-engine', 'v9'], /--influxdb-engine must be one of v2, v3/],
  [
    ['--destination', 'both', ...URL_OPTION, '--bucket-mapping', 'a='],
    /--bucket-mapping must be configured, passthrough or from=to/,
  ],
  [
    ['--destination', 'both', ...URL_OPTION, '--org-mapping', 'a'],
    /--org-mapping must be configured, passthrough or from=to/,
  ],
  [
    ['--destination', 'both', ...URL_OPTION, '--influxdb-only-lines', 'tags'],
    /--influxdb-only-lines must be none, all, or some of no-tags,/,
  ],
  [
    ['--destination', 'both', ...URL_OPTION, '--influxdb-token', SECRET, '--influxdb-token-secret', 's'],
    /^give --influxdb-token or --influxdb-token-secret, not both/,
  ],
  [
    ['--destination', 'both', ...URL_OPTION, '--influxdb-token', `${SECRET} x`],
    /--influxdb-token has characters that are not valid/,
  ],
  [
    ['--destination', 'influxdb', ...URL_OPTION, '--memory'],
    /^--memory belongs to Timestream, which --destination influxdb does not use/,
  ],
  [['--destination', 'influxdb', ...URL_OPTION, '--aws'], /^--aws belongs to Timestream/],
  [['--destination', 'influxdb', ...URL_OPTION, '--data-dir', 'x'], /^--data-dir belongs to Timestream/],
  [
    ['--destination', 'influxdb', ...URL_OPTION, '--influxdb-only-lines', 'all'],
    /^--influxdb-only-lines needs --destination both/,
  ],
  [
    ['--destination', 'influxdb', ...URL_OPTION, '--table-mapping', 'single-table'],
    /^--table-mapping belongs to Timestream, which --destination influxdb does not use: leave it out/,
  ],
  [['--memory', '--data-dir', 'x'], /^--memory keeps data in memory only, without --data-dir/],
  [['--single-table-name', 'all'], /^--single-table-name needs --table-mapping single-table/],
  [['--table-mapping', 'single-table', '--measure-name', 'm'], /^--measure-name needs --table-mapping multi-table/],
  [URL_OPTION, /^--influxdb-url needs --destination influxdb or both/],
  [['--bucket-mapping', 'passthrough'], /^--bucket-mapping needs --destination influxdb or both/],
])('%j is refused', (args, message) => {
  const options = { cwd: ROOT, encoding: 'utf8' as const, env: environment({}), timeout: 30_000 };
  const { status, stderr, stdout } = spawnSync(process.execPath, [PROGRAM, 'start', '--port', '0', ...args], options);
  expect(stderr).toMatch(message);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).not.toContain(SECRET);
});

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
  /** All that it has printed. */
  text(): string;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const child = spawn(process.execPath, [PROGRAM, 'start', '--port', '0', ...args], {
    cwd: ROOT,
    env: environment(env),
  });
  let printed = '';
  const exited = once(child, 'exit');
  const ready = new Promise<void>((done) => {
    child.stdout.on('data', (chunk) => {
      printed += String(chunk);
      if (printed.includes('Ctrl-C stops')) done();
    });
  });
  child.stderr.on('data', (chunk) => (printed += String(chunk)));
  await Promise.race([ready, exited]);
  return { process: child, url: /endpoint: (\S+)/.exec(printed)?.[1] ?? '', text: () => printed };
}

async function stop({ process: child }: Running): Promise<void> {
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}

/** The requests with points: those of the check at the start have none. */
const writes = () => influxdb.requests.filter(({ path, body }) => path === '/api/v2/write' && body !== '');

const write = ({ url }: Running, query = ''): Promise<Response> =>
  fetch(`${url}/api/v2/write?precision=s${query}`, {
    method: 'POST',
    body: 'weather,city=Lisbon temperature=21.5 1709294400',
  });

test.each<[string, string[], RegExp]>([
  [
    'influxdb',
    [],
    /\nPoints go to InfluxDB at http:\/\/127\.0\.0\.1:\d+, organization plant, bucket metrics\. Ctrl-C stops/,
  ],
  [
    'both',
    ['--memory', '--timestream-port', '0'],
    /\nPoints are stored in the embedded Timestream at \S+, in memory, and in InfluxDB at http:\S+, organization plant, bucket metrics\. Ctrl-C/,
  ],
])(
  '%s: the welcome names each destination, and a point is stored there; the token comes from the environment and is not printed',
  async (destination, args, welcome) => {
    const running = await run(
      [
        '--destination',
        destination,
        '--influxdb-url',
        influxdb.url,
        '--influxdb-org',
        'plant',
        '--influxdb-bucket',
        'metrics',
        ...args,
      ],
      {
        INFLUXDB_TOKEN: SECRET,
      },
    );
    try {
      expect(running.text()).toMatch(welcome);
      expect(running.text().includes('Read it back')).toBe(destination === 'both');
      expect((await write(running)).status).toBe(204);
      expect(writes()).toMatchObject([
        {
          path: '/api/v2/write',
          headers: { authorization: `Token ${SECRET}` },
          body: 'weather,city=Lisbon temperature=21.5 1709294400',
        },
      ]);
      expect(writes()[0]?.query.toString()).toBe('org=plant&bucket=metrics&precision=s');
      influxdb.respond = () => ({ status: 401, body: '{"code":"unauthorized","message":"unauthorized access"}' });
      const refused = await write(running);
      expect(refused.status).toBe(503);
      expect(await refused.text()).toContain('--influxdb-token');
      expect((await fetch(`${running.url}/health`)).status).toBe(503);
    } finally {
      await stop(running);
    }
    expect(running.text()).not.toContain(SECRET);
  },
);

test('the example of the welcome names organization and bucket where InfluxDB gets them from the request', async () => {
  const running = await run([
    ...['--destination', 'influxdb', '--influxdb-url', influxdb.url, '--influxdb-org', 'plant'],
    ...['--org-mapping', 'passthrough', '--bucket-mapping', 'my metrics=b,other=c'],
  ]);
  try {
    const [, address = ''] = /curl -i '([^']+)'/.exec(running.text()) ?? [];
    expect(address).toContain('/api/v2/write?org=plant&bucket=my+metrics&precision=s');
    expect((await fetch(address, { method: 'POST', body: 'm v=1 5' })).status).toBe(204);
    expect(writes()[0]?.query.toString()).toBe('org=plant&bucket=b&precision=s');
    expect(running.text()).toContain(', organization of the request, bucket by --bucket-mapping. Ctrl-C');
    expect((await write(running, '&org=plant&bucket=nope')).status).toBe(404);
  } finally {
    await stop(running);
  }
});

test('warns of a variable that differs from a setting only in case', async () => {
  const running = await run(['--destination', 'influxdb', '--influxdb-url', influxdb.url], { influxdb_bucket: 'x' });
  await stop(running);
  expect(running.text()).toContain(
    'warning: influxdb_bucket is ignored: the setting is INFLUXDB_BUCKET, or --influxdb-bucket',
  );
});

test('settings of Timestream in the environment are no error with influxdb', async () => {
  const running = await run(['--destination', 'influxdb', '--influxdb-url', influxdb.url], {
    table_mapping: 'single-table',
    max_new_tables: '5',
  });
  await stop(running);
  expect(running.text()).toContain('Points go to InfluxDB');
});

describe('at the start, a warning', () => {
  const WARNING = 'warning: InfluxDB cannot be written to, so writes get 503: ';
  const error = (status: number, code: string, message: string) => (): Answer => ({
    status,
    body: JSON.stringify({ code, message }),
  });
  /** Fails every write, but not the request whether the server is alive. */
  const writesGet =
    (answer: () => Answer): ScriptedInfluxDB['respond'] =>
    ({ path }) =>
      path === '/api/v2/write' ? answer() : { status: 200, body: '{"version":"v2.7.12"}' };

  /** The text of a server, once it includes the one that is waited for. */
  async function printed(args: readonly string[], text: string): Promise<string> {
    const running = await run(['--destination', 'influxdb', ...args], { INFLUXDB_TOKEN: SECRET });
    try {
      while (!running.text().includes(text)) await once(running.process.stderr ?? running.process, 'data');
      // It has started nevertheless.
      expect((await fetch(`${running.url}/ping`)).status).toBe(204);
      return running.text();
    } finally {
      await stop(running);
    }
  }

  test.each<[string, () => Answer, RegExp]>([
    [
      'the token is wrong',
      error(401, 'unauthorized', 'unauthorized access'),
      /unauthorized access.*: set a valid token with --influxdb-token\n/,
    ],
    [
      'the bucket is missing',
      error(404, 'not found', 'bucket "metrics" not found'),
      /bucket "metrics" not found: create it, or name yours with --influxdb-bucket\n/,
    ],
    ['the token may not write', error(403, 'forbidden', 'insufficient permissions'), /insufficient permissions\n/],
  ])('has the cause if %s', async (_, answer, cause) => {
    influxdb.respond = writesGet(answer);
    const text = await printed(['--influxdb-url', influxdb.url, '--influxdb-bucket', 'metrics'], WARNING);
    expect(text.slice(text.indexOf(WARNING))).toMatch(cause);
    expect(text).not.toContain(SECRET);
  });

  test('has the cause if nothing listens there', async () => {
    const text = await printed(URL_OPTION, WARNING);
    expect(text.slice(text.indexOf(WARNING))).toMatch(/ECONNREFUSED.*check that InfluxDB is running there/);
  });

  test.each([
    ['InfluxDB can be written to', {}, () => STORED],
    [
      'requests name the bucket',
      { bucket_mapping: 'passthrough' },
      error(404, 'not found', 'bucket "energy_data" not found'),
    ],
  ])('is missing if %s', async (_, settings, answer) => {
    influxdb.respond = writesGet(answer);
    const environment = { destination: 'influxdb', INFLUXDB_URL: influxdb.url, INFLUXDB_TOKEN: SECRET, ...settings };
    const { influxdb: configured } = loadConnectorConfig(environment);
    expect(configured && (await unwritableWarning(configured))).toBeUndefined();
    expect(configured).toBeDefined();
    expect(influxdb.requests.length).toBeGreaterThan(0);
  });
});
