/** `migrate` as a program: killed at random moments and started again, proved, and its exports deleted. */
import { type ChildProcess, execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type RunningTimestream, startTimestream } from '../../local/timestream/server';
import { FolderDestination } from '../../local/timestream/unload/folder-destination';
import { CACHE, type Ended } from '../contract/cli/program';
import { BUCKET, describeWithInfluxd, Influxd, STARTING_MS, TOKEN } from '../support/influxd';
import { finishedFolders } from '../support/migration-folders';
import { fillTables } from '../support/timestream-rows';

const ROOT = resolve(__dirname, '../..');
const TABLES = 4;
const ROWS = 5_000;

describeWithInfluxd('migrate as a program', (binary) => {
  const folder = mkdtempSync(join(tmpdir(), 'migrate-'));
  let influxd: Influxd;
  let timestream: RunningTimestream | undefined;

  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    execFileSync(process.execPath, ['scripts/bundle-cli.mjs'], { cwd: ROOT });
    const dataDir = join(folder, 'timestream');
    const start = BigInt(Date.UTC(2024, 0, 1)) * 1_000_000n;
    await fillTables({ dataDir, database: 'plant', tables: TABLES, rows: ROWS, stepNs: 60_000_000_000, start });
    const destination = new FolderDestination(join(folder, '.data/exports'));
    timestream = await startTimestream({ host: '127.0.0.1', port: 0, dataDir, unload: { destination, waitMs: 50 } });
  }, STARTING_MS);
  afterAll(async () => {
    await timestream?.close();
    await influxd.remove();
    rmSync(folder, { recursive: true });
  });

  const execute = (
    words: readonly string[],
    onChild: (child: ChildProcess) => void = () => undefined,
  ): Promise<Ended> =>
    new Promise((done) => {
      const argv = [join(ROOT, 'bin/influxdb-timestream.mjs'), 'migrate', ...words];
      const options = { env: { PATH: process.env.PATH, XDG_CACHE_HOME: CACHE }, cwd: folder };
      const child = execFile(process.execPath, argv, options, (error, out, err) =>
        done({ code: Number(error?.code ?? (error ? -1 : 0)), out, err }),
      );
      onChild(child);
    });
  const options = () => [
    '--database',
    'plant',
    '--url',
    influxd.url,
    '--token',
    TOKEN,
    '--timestream',
    timestream?.url ?? '',
  ];

  test('a migration that is killed at random moments is proved in the end, and exports no finished window twice', async () => {
    const finished = new Map<string, string>();
    const assertKept = (): void => {
      const now = finishedFolders(folder);
      for (const [window, exported] of finished) expect([window, now.get(window)]).toEqual([window, exported]);
      for (const [window, exported] of now) finished.set(window, exported);
    };
    for (let kill = 0; kill < 6; kill++) {
      // Later kills come later, so that each step is hit.
      await execute(
        options(),
        (child) => void wait(400 + kill * 900 + Math.random() * 900).then(() => child.kill('SIGKILL')),
      );
      assertKept();
    }
    const { code, out, err } = await execute(options());
    expect([code, err, out]).toEqual([0, expect.anything(), expect.stringMatching(/proved/)]);
    assertKept();
    for (let table = 0; table < TABLES; table++) {
      const [row] = await influxd.query(
        `from(bucket: "energy_data") |> range(start: 2023-01-01T00:00:00Z) |> filter(fn: (r) => r._measurement == "table-${table}" and r._field == "count") |> group() |> count()`,
      );
      expect(Number(row?._value)).toBe(ROWS);
    }
    const [, file = ''] = /^Proof: (.*)$/m.exec(out) ?? [];
    const proof = JSON.parse(readFileSync(file, 'utf8')) as object;
    expect(proof).toMatchObject({ proved: true, differencesTotal: 0 });
  }, 180_000);

  test('a changed bucket fails --verify-only, by name', async () => {
    await fetch(`${influxd.url}/api/v2/delete?org=ons-energy&bucket=energy_data`, {
      method: 'POST',
      headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        start: '2024-01-01T00:10:00Z',
        stop: '2024-01-01T00:10:59Z',
        predicate: '_measurement="table-2"',
      }),
    });
    const { code, out, err } = await execute([...options(), '--verify-only']);
    expect(code).toBe(1);
    expect(err).toMatch(/^table-2: \d+ differences? in the window 2024-01-01T\S+Z to \S+Z$/m);
    expect(out).toMatch(
      /table-2, 2024-01-01T.* to .*, field count: missing: 1 value is missing \(expected 5,000, found 4,999\)/,
    );
  });

  test('the same command loads what is missing, and is proved', async () => {
    const exported = finishedFolders(folder);
    const { code, out } = await execute(options());
    expect([code, out]).toEqual([0, expect.stringMatching(/4 tables with 20,000 rows: proved/)]);
    expect(finishedFolders(folder)).toEqual(exported);
  });

  test('a second process refuses to work on the same migration', async () => {
    const part = [...options(), '--from', '2024-01-03'];
    const first = execute(part);
    const locks = () =>
      readdirSync(join(folder, '.data/migrations'), { recursive: true, encoding: 'utf8' }).filter(
        (name) => name.endsWith('migration.json') && existsSync(join(folder, '.data/migrations', name, '../lock')),
      );
    while (locks().length === 0) await wait(20);
    const { code, err } = await execute(part);
    expect([code, err]).toEqual([2, expect.stringMatching(/the migration .* is running in process \d+/)]);
    expect((await first).code).toBe(0);
    expect(locks()).toEqual([]);
  }, 60_000);

  test('Ctrl-C ends it with 130 and the command to go on, which then goes on', async () => {
    const part = [...options(), '--from', '2024-01-02', '--verify', 'sums'];
    const { code, err } = await execute(part, (child) => {
      child.stderr?.once('data', () => child.kill('SIGINT'));
    });
    expect([code, err]).toEqual([
      130,
      expect.stringMatching(/Interrupted\. To go on: .*migrate --database plant .*--verify sums/),
    ]);
    expect(err).not.toContain(TOKEN);
    const again = await execute(part);
    expect([again.code, again.err]).toEqual([0, expect.stringContaining('Going on with the migration')]);
    expect(again.out).toMatch(/proved/);
  }, 60_000);

  test('clean deletes the exports of proved migrations only after asking', async () => {
    const files = () =>
      readdirSync(join(folder, '.data/exports'), { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.parquet'),
      );
    const before = files().length;
    const root = join(folder, '.data/migrations');
    const proofs = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('proof.json'))
      .map((name) => join(root, name));
    for (const proof of proofs) renameSync(proof, `${proof}.kept`);
    const unproved = await execute(['clean'], (child) => child.stdin?.end('y\n'));
    expect([unproved.out, files().length]).toEqual([
      expect.stringMatching(
        /: \d+ files, .* in \S+\. It has no proof, so they are kept: .*\nNo proved migration has exported files\n$/,
      ),
      before,
    ]);
    for (const proof of proofs) renameSync(`${proof}.kept`, proof);
    const refused = await execute(['clean'], (child) => child.stdin?.end('n\n'));
    expect([refused.code, files().length]).toEqual([0, before]);
    const agreed = await execute(['clean'], (child) => child.stdin?.end('y\n'));
    expect([agreed.code, files()]).toEqual([0, []]);
    expect(agreed.out).toMatch(/Deleted [\d,]+ files, \d+\.\d MB\n$/);
  });

  test.each([
    ['no InfluxDB', ['--url', 'http://127.0.0.1:9'], /check that InfluxDB is running there/],
    ['a wrong token', ['--token', 'wrong'], /the token is not valid/],
    ['an unknown bucket', ['--bucket', 'unknown'], /name yours with --bucket/],
  ])('a dry run fails with %s, and says what to do', async (_, words, advice) => {
    const { code, err } = await execute([...options(), ...words, '--dry-run']);
    expect(code).not.toBe(0);
    expect(err).toMatch(advice);
  });

  test('a dry run fails with a token that may only write, unless nothing is verified', async () => {
    const { buckets } = await influxd.get<{ buckets: { id: string; orgID: string }[] }>(
      `/api/v2/buckets?name=${BUCKET}`,
    );
    const [{ id = '', orgID = '' } = {}] = buckets;
    const response = await fetch(`${influxd.url}/api/v2/authorizations`, {
      method: 'POST',
      headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ orgID, permissions: [{ action: 'write', resource: { type: 'buckets', id, orgID } }] }),
    });
    const { token } = (await response.json()) as { token: string };
    const refused = await execute([...options(), '--token', token, '--dry-run']);
    expect([refused.code === 0, refused.err]).toEqual([false, expect.stringContaining('a token that may also read')]);
    expect((await execute([...options(), '--token', token, '--dry-run', '--verify', 'none'])).code).toBe(0);
  });

  test('a dry run exports nothing', async () => {
    const { code, out } = await execute([...options(), '--dry-run', '--table', 'table-[01]', '--table', 'table-?']);
    expect([code, out]).toEqual([2, '']);
    const all = await execute([...options(), '--dry-run', '--table', 'table-?']);
    expect([all.code, all.out]).toEqual([0, expect.stringMatching(/4 tables with 20,000 rows can be migrated/)]);
    expect(all.err).not.toContain('%');
  });
});
