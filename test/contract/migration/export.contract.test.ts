/** Survey and Export against the embedded Timestream: windows, the ledger, halving, restarts and counts at the source. */
import type { ObjectRef } from 'shared/loads/objects';
import { exportStep } from 'shared/migration/export';
import type { WindowRecord } from 'shared/migration/records';
import { type MigrationServices, UNLOAD_INTERVAL_MS } from 'shared/migration/services';
import { surveyStep } from 'shared/migration/survey';
import { Pacer } from 'shared/resilience/pacer';
import { fill, ledgerOf, multi, REQUEST, type Source, servicesOf, startSource } from '../../support/migration';
import { ScriptedServer } from '../../support/scripted-server';
import { VirtualClock } from '../../support/virtual-clock';
import { NOW, writeRecords } from '../timestream/harness';

const DAY = 86_400_000_000_000n;
const END = BigInt(NOW) * 1_000_000n;

let source: Source;
let influxdb: ScriptedServer;
beforeAll(async () => {
  source = await startSource({ maxRows: 60 });
  // A bucket without data and without a retention.
  influxdb = await ScriptedServer.start(() => ({ status: 200, body: '' }));
  await fill(
    source,
    'plain',
    Array.from({ length: 100 }, (_, n) =>
      multi(
        { device: `d${n % 7}` },
        { n: ['BIGINT', String(n)], ...(n % 2 && { x: ['DOUBLE', `${n}.5`] }) },
        END - DAY + BigInt(n) * (DAY / 100n),
      ),
    ),
  );
  await fill(source, 'other', [multi({ device: 'a' }, { ok: ['BOOLEAN', 'true'] }, END - 5n * DAY)]);
});
afterAll(async () => {
  await source.stop();
  await influxdb.stop();
});

let migrations = 0;
const services = (change: Partial<MigrationServices> = {}) => servicesOf(source, influxdb.url, change);

async function survey(input: object = {}, change: Partial<MigrationServices> = {}): Promise<string> {
  migrations += 1;
  const migrationId = `m${migrations}`;
  await surveyStep({ migrationId, input: { ...REQUEST, ...input } }, services(change));
  return migrationId;
}

async function records(migrationId: string): Promise<(WindowRecord | undefined)[]> {
  const found: (WindowRecord | undefined)[] = [];
  for await (const { record } of ledgerOf(migrationId, source).allEntries()) found.push(record);
  return found;
}

test('the survey lists columns with their roles, rows, times, series and windows', async () => {
  const id = await survey({ tables: ['pl*'] });
  const [table] = await ledgerOf(id, source).surveys();
  expect(table).toMatchObject({
    table: 'plain',
    columns: [
      { name: 'device', type: 'varchar', role: 'dimension' },
      { name: 'measure_name', type: 'varchar', role: 'measure_name' },
      { name: 'time', type: 'timestamp', role: 'time' },
      { name: 'n', type: 'bigint', role: 'measure' },
      { name: 'x', type: 'double', role: 'measure' },
    ],
    rows: 100,
    first: String(END - DAY),
    last: String(END - DAY + 99n * (DAY / 100n)),
    measureNames: ['metrics'],
    windows: [{ from: String(END - DAY), to: String(END), rows: 100 }],
    findings: [],
  });
});

test('a pattern without a table is an error that lists the tables', async () => {
  await expect(survey({ tables: ['plain', 'missing*'] })).rejects.toThrow(/matches missing\*.*other.*plain/);
});

test('a survey that was stopped goes on with the tables that are missing', async () => {
  const stop = new AbortController();
  migrations += 1;
  const migrationId = `m${migrations}`;
  const step = { migrationId, input: REQUEST };
  let queries = 0;
  const query: MigrationServices['query'] = (input, signal) => {
    queries += 1;
    if (queries === 6) stop.abort();
    return source.query(input, signal);
  };
  const first = await surveyStep(step, services({ deadline: stop.signal, query }));
  expect(first).toMatchObject({ done: false, tables: 2 });
  expect(await surveyStep(step, services())).toMatchObject({ done: true, surveyed: 2, rows: 101, next: 'Export' });
});

test('exports each window once, with its counts at the source', async () => {
  const id = await survey();
  // 100 rows are more than this service exports at once, so their window is halved.
  expect(await exportStep({ migrationId: id }, services())).toMatchObject({
    done: true,
    windows: 3,
    exported: 3,
    failed: 0,
    rows: 101,
  });
  const found = await records(id);
  expect(found.every((record) => record?.state === 'exported')).toBe(true);
  expect(found.reduce((sum, record) => sum + (record?.source?.rows ?? 0), 0)).toBe(101);
  const fields = found.flatMap((record) => record?.source?.fields ?? []);
  const total = (name: string) =>
    fields.filter(({ field }) => field === name).reduce((sum, { count }) => sum + count, 0);
  expect([total('n'), total('x'), total('ok')]).toEqual([100, 50, 1]);
});

test('reads no record after its deadline, and is done if no window is left', async () => {
  const id = await survey();
  const stop = new AbortController();
  const { objects } = source;
  let exported = 0;
  let readsAfterwards = 0;
  const watched: typeof objects = Object.assign(Object.create(objects), {
    write: async (ref: ObjectRef, body: Uint8Array) => {
      await objects.write(ref, body);
      if (!ref.key.includes('/windows/') || !Buffer.from(body).toString().includes('"state":"exported"')) return;
      exported += 1;
      if (exported === 3) stop.abort();
    },
    read: (ref: ObjectRef) => {
      if (stop.signal.aborted) readsAfterwards += 1;
      return objects.read(ref);
    },
  });
  const first = await exportStep({ migrationId: id }, services({ objects: watched, deadline: stop.signal }));
  expect(readsAfterwards).toBe(0);
  expect(first).toMatchObject({ done: true, windows: 3, exported: 3, rows: 101 });
});

test('starts of UNLOADs are an interval apart, also those that are repeated after throttling', async () => {
  const id = await survey();
  const clock = new VirtualClock();
  const starts: number[] = [];
  const query: MigrationServices['query'] = async (input, signal) => {
    if (/^UNLOAD/.test(input.QueryString ?? '') && input.NextToken === undefined) {
      starts.push(clock.now());
      if (starts.length % 2 === 1) {
        throw Object.assign(new Error('slow'), { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
      }
    }
    return await source.query(input, signal);
  };
  const unloads = new Pacer(UNLOAD_INTERVAL_MS, clock);
  const exported = await exportStep({ migrationId: id }, services({ clock, query, unloads }));
  expect(exported).toMatchObject({ done: true, windows: 3, exported: 3, rows: 101 });
  expect(starts.length).toBeGreaterThan(6);
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(UNLOAD_INTERVAL_MS);
});

test('a call that continues leaves the windows alone that its run has settled, and a new run tries the failed ones again', async () => {
  const id = await survey();
  const tried: string[] = [];
  const broken = (stop: AbortController): Partial<MigrationServices> => ({
    deadline: stop.signal,
    query: async (input, signal) => {
      if (/^UNLOAD/.test(input.QueryString ?? '') && input.NextToken === undefined) tried.push(input.QueryString ?? '');
      if (!/^UNLOAD .*"other"/s.test(input.QueryString ?? '')) return await source.query(input, signal);
      throw Object.assign(new Error('broken'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
    },
  });
  const stop = new AbortController();
  const { objects } = source;
  // Stops after the first window, which fails.
  const watched: typeof objects = Object.assign(Object.create(objects), {
    write: async (ref: ObjectRef, body: Uint8Array) => {
      await objects.write(ref, body);
      if (Buffer.from(body).toString().includes('"state":"failed"')) stop.abort();
    },
  });
  const first = await exportStep({ migrationId: id }, services({ ...broken(stop), objects: watched }));
  expect(first).toMatchObject({ done: false, failed: 1, continuation: 1 });
  const started = tried.filter((sql) => sql.includes('"other"')).length;
  const second = await exportStep(first, services(broken(new AbortController())));
  expect(second).toMatchObject({ done: true, windows: 3, failed: 1, exported: 2, rows: 100, continuation: 3 });
  expect(tried.filter((sql) => sql.includes('"other"'))).toHaveLength(started);
  expect(await exportStep({ migrationId: id }, services())).toMatchObject({ done: true, failed: 0, exported: 3 });
});

test('reads each record once, and looks for the files of several windows at once', async () => {
  const id = await survey();
  await exportStep({ migrationId: id }, services());
  const { objects } = source;
  const reads = new Map<string, number>();
  let finding = 0;
  let atOnce = 0;
  const watched: typeof objects = Object.assign(Object.create(objects), {
    read: (ref: ObjectRef) => {
      if (ref.key.includes('/windows/')) reads.set(ref.key, 1 + (reads.get(ref.key) ?? 0));
      return objects.read(ref);
    },
    find: async (ref: ObjectRef) => {
      finding += 1;
      atOnce = Math.max(atOnce, finding);
      await new Promise(setImmediate);
      const found = await objects.find(ref);
      finding -= 1;
      return found;
    },
  });
  const again = await exportStep({ migrationId: id }, services({ objects: watched }));
  expect(again).toMatchObject({ done: true, windows: 3, exported: 3, rows: 101 });
  // One record is that of the window that was halved.
  expect([...reads.values()]).toEqual([1, 1, 1, 1]);
  expect(atOnce).toBeGreaterThan(1);
});

test('a ledger that cannot be read before the deadline ends the run instead of another call', async () => {
  const id = await survey();
  const { continuation } = await exportStep({ migrationId: id }, services());
  const stop = new AbortController();
  const { objects } = source;
  const watched: typeof objects = Object.assign(Object.create(objects), {
    read: (ref: ObjectRef) => {
      if (ref.key.includes('/windows/')) stop.abort();
      return objects.read(ref);
    },
  });
  const again = exportStep({ migrationId: id, continuation }, services({ objects: watched, deadline: stop.signal }));
  await expect(again).rejects.toThrow(/cannot read the ledger of 3 windows before its deadline/);
  // The first call of a run counts what it has read, for the next one.
  const begun = new AbortController();
  const read: typeof objects = Object.assign(Object.create(objects), {
    find: (ref: ObjectRef) => {
      begun.abort();
      return objects.find(ref);
    },
  });
  const first = await exportStep({ migrationId: id }, services({ objects: read, deadline: begun.signal }));
  expect(first).toMatchObject({ done: false, continuation: 1 });
});

/** Services of a process that is killed at its n-th access to Timestream or to an object; all later ones fail too. */
function killedAt(n: number): { readonly exported: Set<string>; readonly services: Partial<MigrationServices> } {
  let accesses = 0;
  const alive = (): void => {
    accesses += 1;
    if (accesses >= n) throw Object.assign(new Error('killed'), { $metadata: { httpStatusCode: 400 } });
  };
  const exported = new Set<string>();
  const { objects } = source;
  const query: MigrationServices['query'] = async (input, signal) => {
    alive();
    const [, from] = /^UNLOAD .*from_nanoseconds\((-?\d+)\) AND/.exec(input.QueryString ?? '') ?? [];
    if (from !== undefined && input.NextToken === undefined) exported.add(from);
    const page = await source.query(input, signal);
    alive();
    return page;
  };
  const watched = Object.assign(Object.create(objects) as typeof objects, {
    read: async (ref: ObjectRef) => {
      alive();
      return await objects.read(ref);
    },
    write: async (ref: ObjectRef, body: Uint8Array) => {
      alive();
      await objects.write(ref, body);
      alive();
    },
  });
  return { exported, services: { query, objects: watched } };
}

test('a process that is killed at any access and started again exports every row, and no finished window twice', async () => {
  for (let n = 1; ; n += 3) {
    const id = await survey({ tables: ['plain'] });
    const died = await exportStep({ migrationId: id }, services(killedAt(n).services)).then(
      () => false,
      () => true,
    );
    const before = (await records(id)).filter((record) => record?.state === 'exported');
    const again = killedAt(Number.POSITIVE_INFINITY);
    expect(await exportStep({ migrationId: id }, services(again.services))).toMatchObject({
      done: true,
      failed: 0,
      rows: 100,
    });
    const after = await records(id);
    for (const finished of before) {
      expect(after).toContainEqual(finished);
      expect(again.exported.has(finished?.window.from ?? '')).toBe(false);
    }
    if (!died) break;
  }
}, 120_000);

/** Services whose table gets another row after each of its first exports, before it is counted. */
function lateRows(table: string, times: number): Partial<MigrationServices> {
  let late = 0;
  const query: MigrationServices['query'] = async (input, signal) => {
    if (late < times && input.QueryString?.startsWith('SELECT COUNT(*), COUNT(filled_time)')) {
      late += 1;
      const record = multi({ device: 'late' }, { n: ['BIGINT', '1'] }, END - DAY - BigInt(late));
      await writeRecords(source.harness, table, [record]);
    }
    return await source.query(input, signal);
  };
  return { query };
}

test('a table that got a row between an export and its count is exported again', async () => {
  await fill(source, 'late', [multi({ device: 'a' }, { n: ['BIGINT', '1'] }, END - 2n * DAY)]);
  const id = await survey({ tables: ['late'] });
  expect(await exportStep({ migrationId: id }, services(lateRows('late', 1)))).toMatchObject({ exported: 1, rows: 2 });
  expect(await records(id)).toMatchObject([{ attempt: 2, exported: { rows: 2 }, source: { rows: 2 } }]);
});

test('a window of a table that never rests fails, and says what to do', async () => {
  await fill(source, 'restless', [multi({ device: 'a' }, { n: ['BIGINT', '1'] }, END - 2n * DAY)]);
  const id = await survey({ tables: ['restless'] });
  expect(await exportStep({ migrationId: id }, services(lateRows('restless', 99)))).toMatchObject({
    done: true,
    failed: 1,
  });
  expect(await records(id)).toMatchObject([
    { state: 'failed', error: expect.stringMatching(/changed during 3 exports.*Stop the writers of this range/) },
  ]);
});

test('a window whose rows share one nanosecond is halved down to it, and fails with the reason', async () => {
  const rows = Array.from({ length: 70 }, (_, n) => multi({ device: `d${n}` }, { n: ['BIGINT', '1'] }, END - 7n));
  await fill(source, 'instant', rows);
  const id = await survey({ tables: ['instant'], from: new Date(NOW - 60_000).toISOString() });
  const exported = await exportStep({ migrationId: id }, services());
  expect(exported).toMatchObject({ done: true, failed: 1, rows: 0 });
  // A minute has 2^36 ns: each of the halvings leaves one half without rows.
  expect(exported.windows).toBeLessThanOrEqual(37);
  const failed = (await records(id)).filter((record) => record?.state === 'failed');
  expect(failed).toMatchObject([
    {
      window: { from: String(END - 7n), to: String(END - 6n) },
      error: expect.stringMatching(/^a window of 1 ns is too large: .*maximum available memory/),
    },
  ]);
}, 60_000);
