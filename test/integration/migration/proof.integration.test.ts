/** Migrations from the embedded Timestream into a real InfluxDB: proved, and failed by name once anything differs. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { _Record as Record_ } from '@aws-sdk/client-timestream-write';
import { type Proof, proofSchema } from 'shared/migration/proof';
import type { Difference } from 'shared/migration/records';
import type { WorkflowServices } from '../../../local/migration/workflow';
import { NOW } from '../../contract/timestream/harness';
import { BUCKET, describeWithInfluxd, Influxd, ORG, STARTING_MS, TOKEN } from '../../support/influxd';
import { EXPORTS, fill, multi, REQUEST, type Source, startSource, WORK } from '../../support/migration';
import { migrate, migrationServices } from '../../support/migration-run';
import { testReader } from '../../support/parquet';

const HOUR = 3_600_000_000_000n;
const START = BigInt(NOW) * 1_000_000n - 24n * HOUR;
const reader = testReader();

/** 60 rows of all types, spread over a day; every third row has no float, and one has no value at all but its text. */
const ROWS: Record_[] = Array.from({ length: 60 }, (_, n) =>
  multi(
    { device: `d ${n % 5}`, site: 'north,1' },
    {
      count: ['BIGINT', String(n % 2 ? 9_223_372_036_854_775_000n - BigInt(n) : -9_223_372_036_854_775_000n)],
      ...(n % 3 && { load: ['DOUBLE', `${n}.25`] }),
      ok: ['BOOLEAN', String(n % 2 === 0)],
      'text::x': ['VARCHAR', `line\nbreak "${n}" \\`],
      seen: ['TIMESTAMP', String(START + BigInt(n))],
    },
    START + BigInt(n) * (HOUR / 3n) + 7n,
  ),
);

describeWithInfluxd('a migration', (binary) => {
  let influxd: Influxd;
  let source: Source;

  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    source = await startSource();
    await fill(source, 'machines', ROWS);
    await fill(source, 'rooms', [multi({ room: 'a' }, { t: ['DOUBLE', '20.5'] }, START)]);
    await fill(source, 'nothing', []);
  }, STARTING_MS);
  afterAll(async () => {
    await source.stop();
    await influxd.remove();
  });
  // Each test starts with an empty bucket and no earlier migration.
  beforeEach(async () => {
    await remove('');
    for (const bucket of [WORK, EXPORTS]) rmSync(join(source.folder, bucket), { recursive: true, force: true });
  });

  const services = (change: Partial<WorkflowServices> = {}) => migrationServices(source, influxd, reader, change);
  const run = (input: object = {}, change: Partial<WorkflowServices> = {}) =>
    migrate({ ...REQUEST, ...input }, services(change));

  async function write(lines: string): Promise<void> {
    const response = await fetch(`${influxd.url}/api/v2/write?org=${ORG}&bucket=${BUCKET}&precision=ns`, {
      method: 'POST',
      headers: { authorization: `Token ${TOKEN}` },
      body: lines,
    });
    expect([response.status, await response.text()]).toEqual([204, '']);
  }

  /** Deletes points by InfluxDB's predicate; all without one. */
  async function remove(
    predicate: string,
    start = '1970-01-01T00:00:00Z',
    stop = '2100-01-01T00:00:00Z',
  ): Promise<void> {
    const response = await fetch(`${influxd.url}/api/v2/delete?org=${ORG}&bucket=${BUCKET}`, {
      method: 'POST',
      headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ start, stop, ...(predicate && { predicate }) }),
    });
    expect(response.status).toBe(204);
  }

  const proofOf = (migrationId: string): Proof =>
    proofSchema.parse(
      JSON.parse(readFileSync(join(source.folder, WORK, 'migrations', migrationId, 'proof.json'), 'utf8')),
    );
  const named = (differences: readonly Difference[]) =>
    differences.map(({ table, field, kind, expected, found }) => [table, field, kind, expected, found]);
  const again = async (migrationId: string, verifyOnly = true) =>
    proofOf((await migrate({ resume: migrationId, verifyOnly }, services())).migrationId);
  const exported = (suffix: string): string[] =>
    readdirSync(join(source.folder, EXPORTS), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.includes('machines') && file.endsWith(suffix))
      .map((file) => join(source.folder, EXPORTS, file));

  test.each(['counts', 'sums'])('is proved by %s', async (verify) => {
    const report = await run({ verify });
    expect(report.status).toBe('proved');
    const proof = proofOf(report.migrationId);
    expect(proof).toMatchObject({ proved: true, differences: [], differencesTotal: 0 });
    const [machines, nothing, rooms] = proof.tables;
    expect(machines).toMatchObject({
      table: 'machines',
      manifest_rows: 60,
      rows_read: 60,
      points: 60,
      written: 60,
      empty: 0,
    });
    const counts = { count: 60, load: 40, ok: 60, seen: 60, 'text::x': 60 };
    expect(machines?.fields).toEqual(Object.entries(counts).map(([field, n]) => ({ field, expected: n, found: n })));
    expect(nothing).toMatchObject({ table: 'nothing', manifest_rows: 0, windows: [], proved: true });
    expect(rooms).toMatchObject({ table: 'rooms', manifest_rows: 1, written: 1 });
    const values = await influxd.values();
    expect(values).toContainEqual({
      measurement: 'machines',
      tags: { device: 'd 1', site: 'north,1', measure_name: 'metrics' },
      time: '2024-02-29T12:20:00.000000007Z',
      field: 'count',
      type: 'long',
      value: '9223372036854774999',
    });
  });

  test('a deleted point is missing, by table, window and field', async () => {
    const { migrationId } = await run({ tables: ['machines'] });
    await remove('device="d 1"', '2024-02-29T12:20:00Z', '2024-02-29T12:20:01Z');
    const proof = await again(migrationId);
    expect(named(proof.differences)).toEqual(
      ['count', 'load', 'ok', 'seen', 'text::x'].map((field) => {
        const n = field === 'load' ? 40 : 60;
        return ['machines', field, 'missing', String(n), String(n - 1)];
      }),
    );
    expect(proof.differences[0]?.window).toEqual(proof.differences[4]?.window);
    // The next run loads the window again.
    expect(await again(migrationId, false)).toMatchObject({ proved: true });
  });

  test.each([
    ['count', 'count=5i'],
    ['load', 'load=2.25'],
    ['ok', 'ok=true'],
    ['text::x', 'text::x="another"'],
  ])('a changed %s is named, when sums are verified', async (field, change) => {
    const { migrationId } = await run({ tables: ['machines'], verify: 'sums' });
    await write(`machines,device=d\\ 1,measure_name=metrics,site=north\\,1 ${change} ${START + HOUR / 3n + 7n}`);
    const proof = await again(migrationId);
    expect(proof.differences.map(({ field: name, kind }) => [name, kind])).toEqual([[field, 'changed']]);
  });

  test('extra points are named, and those of another writer explained by their missing tag', async () => {
    const { migrationId } = await run({ tables: ['machines'] });
    await write(`machines,device=d\\ 1,site=north\\,1 load=1 ${START + HOUR}`);
    expect(named((await again(migrationId)).differences)).toEqual([
      ['machines', 'load', 'extra', '40', '41'],
      ['machines', null, 'extra', '0', '1'],
    ]);
  });

  test('points of another writer that are equal to those of the migration change nothing', async () => {
    const { migrationId } = await run({ tables: ['rooms'], mapping: { measureName: 'drop' } });
    await write(`rooms,room=a t=20.5 ${START}`);
    expect(await again(migrationId)).toMatchObject({ proved: true });
  });

  test('a point that moved is named by its time', async () => {
    const { migrationId } = await run({ tables: ['rooms'] });
    await remove('_measurement="rooms"');
    await write(`rooms,room=a,measure_name=metrics t=20.5 ${START + 1n}`);
    expect(named((await again(migrationId)).differences)).toEqual([
      ['rooms', null, 'time', '2024-02-29T12:00:00.000000000Z', '2024-02-29T12:00:00.000000001Z'],
    ]);
  });

  test('a point that moved to a new tag value is named by the number of series', async () => {
    await fill(source, 'floors', [
      multi({ floor: '1' }, { t: ['DOUBLE', '1'] }, START),
      multi({ floor: '1' }, { t: ['DOUBLE', '2'] }, START + 1n),
      multi({ floor: '1' }, { t: ['DOUBLE', '3'] }, START + 2n),
    ]);
    const floors = await run({ tables: ['floors'], verify: 'sums' });
    expect(floors.status).toBe('proved');
    await remove('_measurement="floors"');
    const line = (floor: number, n: number) =>
      `floors,floor=${floor},measure_name=metrics t=${n + 1} ${START + BigInt(n)}`;
    await write([line(1, 0), line(2, 1), line(1, 2)].join('\n'));
    expect(named((await again(floors.migrationId)).differences)).toEqual([['floors', null, 'extra', '1', '2']]);
  });

  /** Damages the export between Export and Load. */
  async function damaged(damage: () => void) {
    const base = services();
    let isDone = false;
    const load: WorkflowServices['load'] = (line) => {
      if (!isDone) damage();
      isDone = true;
      return base.load(line);
    };
    const report = await run({ tables: ['machines'] }, { load });
    return { report, proof: proofOf(report.migrationId) };
  }

  test.each([
    ['is missing', (file: string) => rmSync(file)],
    ['was cut', (file: string) => truncateSync(file, 100)],
    ['has other bytes', (file: string) => writeFileSync(file, Buffer.alloc(readFileSync(file).length))],
  ])('a file that %s ends the migration as failed, and is exported again by the next run', async (_, damage) => {
    const { report, proof } = await damaged(() => exported('.parquet').slice(0, 1).forEach(damage));
    expect(report.status).toBe('failed');
    expect(proof.differences).not.toEqual([]);
    expect(proof.differences.every(({ table }) => table === 'machines')).toBe(true);
    expect(report.message).toContain('machines');
    expect(report.message).toMatch(/\.parquet: \S.*Run the migration once more: it exports this window again$/);
    expect(await again(report.migrationId, false)).toMatchObject({ proved: true });
  });

  test('a window that differs after its export was deleted is exported again', async () => {
    const { migrationId } = await run({ tables: ['rooms'] });
    rmSync(join(source.folder, EXPORTS), { recursive: true });
    await remove('_measurement="rooms"');
    expect(await again(migrationId)).toMatchObject({ proved: false });
    expect(await again(migrationId, false)).toMatchObject({ proved: true });
  });

  test('a window that still differs after a second load is exported and counted again', async () => {
    const { migrationId } = await run({ tables: ['rooms'] });
    // As if the row had two values when it was counted, and one when it was exported.
    const root = join(source.folder, WORK, 'migrations', migrationId, 'windows');
    const [file = ''] = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json'),
    );
    const record = JSON.parse(readFileSync(join(root, file), 'utf8')) as { source: { fields: { count: number }[] } };
    for (const field of record.source.fields) field.count += 1;
    writeFileSync(join(root, file), JSON.stringify(record));
    expect(named((await again(migrationId)).differences)).toEqual([['rooms', 't', 'missing', '2', '1']]);
    expect(await again(migrationId, false)).toMatchObject({ proved: false });
    expect(await again(migrationId, false)).toMatchObject({ proved: true });
  });

  test('a migration of a table without rows says so, and not that windows are equal', async () => {
    const { status, message } = await run({ tables: ['nothing'] });
    expect([status, message]).toEqual(['proved', '1 table without rows in the range: there was nothing to migrate']);
  });

  test('a copied manifest loads no row twice', async () => {
    const { report, proof } = await damaged(() => {
      const [manifest = ''] = exported('_manifest.json');
      const copy = manifest.replace('_manifest.json', 'X_manifest.json');
      writeFileSync(copy, readFileSync(manifest));
      writeFileSync(copy.replace('_manifest', '_metadata'), readFileSync(manifest.replace('_manifest', '_metadata')));
    });
    expect(report.status).toBe('proved');
    expect(proof.tables[0]).toMatchObject({ manifest_rows: 60, rows_read: 60 });
  });

  test('points that a retention rejects fail the preflight, by name', async () => {
    const { buckets } = await influxd.get<{ buckets: { id: string }[] }>(`/api/v2/buckets?name=${BUCKET}`);
    const retain = async (everySeconds: number, shardGroupDurationSeconds: number) => {
      const response = await fetch(`${influxd.url}/api/v2/buckets/${buckets[0]?.id}`, {
        method: 'PATCH',
        headers: { authorization: `Token ${TOKEN}` },
        body: JSON.stringify({ retentionRules: [{ type: 'expire', everySeconds, shardGroupDurationSeconds }] }),
      });
      expect(response.status).toBe(200);
    };
    await retain(3_600, 3_600);
    const report = await run({ tables: ['machines'] });
    await retain(0, 604_800);
    expect(report.status).toBe('failed');
    expect(report.message).toMatch(/retention of machines: the first row is from 2024-02-29T12:00:00/);
    expect(existsSync(join(source.folder, EXPORTS))).toBe(false);
  });

  test('a field of another type in the bucket fails the preflight, by name', async () => {
    await write(`machines load="text" ${START}`);
    const report = await run({ tables: ['machines'] });
    expect(report.message).toMatch(/type-conflict of machines: load is string in the bucket and float in the table/);
  });

  test('rows that merge, because a dimension becomes a field, are counted and explained', async () => {
    const report = await run({ tables: ['machines'], mapping: { dimensionsToFields: ['device'] }, verify: 'sums' });
    expect(report.message).toContain('proved');
    await fill(source, `pairs`, [
      multi({ room: 'a', sensor: '1' }, { t: ['DOUBLE', '1'] }, START),
      multi({ room: 'a', sensor: '2' }, { t: ['DOUBLE', '2'] }, START),
      multi({ room: 'b', sensor: '2' }, { u: ['DOUBLE', '2'] }, START),
    ]);
    const request = { tables: ['pairs'], mapping: { dimensionsToFields: ['sensor'] }, verify: 'sums' };
    const refused = await run(request);
    expect(refused.status).toBe('failed');
    expect(refused.message).toContain('overwritten of pairs: field sensor: 1 value of 3 would be overwritten');
    expect(await influxd.values()).not.toContainEqual(expect.objectContaining({ measurement: 'pairs' }));
    const merged = await run({ ...request, allowMerges: true });
    expect(merged.message).toContain('but for 2 values overwritten by merges, which were allowed');
    expect(proofOf(merged.migrationId).tables[0]).toMatchObject({
      proved: true,
      manifest_rows: 3,
      written: 3,
      merged: 1,
      fields: [
        { field: 'sensor', expected: 2, found: 2, overwritten: 1 },
        { field: 't', expected: 1, found: 1, overwritten: 1 },
        { field: 'u', expected: 1, found: 1 },
      ],
    });
  });

  test('values that overwrite each other in a window that the survey did not count fail by field, with their counts', async () => {
    const rows = (hours: bigint, sensors: readonly string[]) =>
      sensors.map((sensor) =>
        multi({ room: 'a', sensor }, { t: ['DOUBLE', sensor], u: ['DOUBLE', '7'] }, START + hours * HOUR),
      );
    await fill(source, 'later', [...rows(0n, ['1']), ...rows(1n, ['1']), ...rows(2n, ['1']), ...rows(20n, ['1', '2'])]);
    const options = { tables: ['later'], mapping: { dimensionsToFields: ['sensor'] } };
    const report = await run(options, { limits: { rows: 1_000, days: 1 } });
    expect(named(proofOf(report.migrationId).differences)).toEqual([
      ['later', 'sensor', 'missing', '2', '1'],
      ['later', 't', 'missing', '2', '1'],
    ]);
  });

  const single = (name: string, value: string, ns: bigint, type: 'DOUBLE' | 'BIGINT' = 'DOUBLE'): Record_ => ({
    Dimensions: [{ Name: 'room', Value: 'a' }],
    MeasureName: name,
    MeasureValueType: type,
    MeasureValue: value,
    Time: String(ns),
    TimeUnit: 'NANOSECONDS',
  });

  test('measure_name as a field of single-measure rows is refused, and pivot is proved', async () => {
    await fill(source, 'singles', [
      single('cpu', '1', START),
      single('load', '2', START),
      single('n', '3', START, 'BIGINT'),
    ]);
    const options = { tables: ['singles'], dryRun: true };
    const refused = await run({ ...options, mapping: { measureName: 'field' } });
    expect(refused.message).toMatch(/overwritten of singles: field measure_name: 2 values of 3 would be overwritten/);
    expect((await run({ tables: ['singles'], mapping: { measureName: 'pivot' }, verify: 'sums' })).status).toBe(
      'proved',
    );
  });

  test('pivot is refused where a measure name and a column become one field of one point', async () => {
    await fill(source, 'mixed', [
      single('temp', '1', START),
      multi({ room: 'a' }, { temp: ['DOUBLE', '2'], humidity: ['DOUBLE', '3'] }, START),
      single('temp', '4', START + 1n),
      multi({ room: 'a' }, { temp: ['DOUBLE', '5'] }, START + 2n),
    ]);
    const options = { tables: ['mixed'], mapping: { measureName: 'pivot' } };
    const refused = await run(options);
    expect(refused.message).toMatch(/overwritten of mixed: field temp: 1 value of 4 would be overwritten/);
    const allowed = await run({ ...options, allowMerges: true, verify: 'sums' });
    expect(proofOf(allowed.migrationId).tables[0]).toMatchObject({
      proved: true,
      fields: [
        { field: 'humidity', expected: 1, found: 1 },
        { field: 'temp', expected: 3, found: 3, overwritten: 1 },
      ],
    });
  });

  test('names and texts that line protocol must escape, or that InfluxDB reserves, are proved', async () => {
    await fill(source, 'Odd.names-1', [
      multi(
        { 'a,b=c d': 'back\\slash', 'x y': 'ends in a backslash\\' },
        {
          _value: ['DOUBLE', '1.5'],
          'a b,c=d': ['BIGINT', '9007199254740993'],
          sent_ns: ['BIGINT', '7'],
          sent: ['TIMESTAMP', String(START + 1n)],
          'quote"d': ['VARCHAR', 'tab\t, "quotes" and\na line'],
          padded: ['VARCHAR', ' ä 😀 '],
        },
        START + 123n,
      ),
    ]);
    const report = await run({ tables: ['Odd*'], verify: 'sums' });
    expect(report.status).toBe('proved');
    const stored = (await influxd.values()).map(({ field, value }) => [field, value]);
    expect(new Map(stored as [string, string][])).toEqual(
      new Map([
        ['value_', '1.5'],
        ['a b,c=d', '9007199254740993'],
        ['sent_ns', '7'],
        ['sent', String(START + 1n)],
        ['quote"d', 'tab\t, "quotes" and\na line'],
        ['padded', ' ä 😀 '],
      ]),
    );
  });

  test.each(['constructor', '__proto__', 'toString'])(
    'a table named %s, like a property of every object, is proved',
    async (table) => {
      await fill(source, table, [
        multi(
          Object.fromEntries([['valueOf', 'a']]),
          Object.fromEntries([['hasOwnProperty', ['DOUBLE', '1.5']]]),
          START,
        ),
      ]);
      const report = await run({ tables: [table], verify: 'sums' });
      expect(report.message).toMatch(/proved/);
      expect(proofOf(report.migrationId).tables).toMatchObject([{ table, manifest_rows: 1, written: 1 }]);
    },
  );

  test('measure_name and dimensions as fields, and times as text, are proved', async () => {
    const report = await run({
      tables: ['machines'],
      verify: 'sums',
      mapping: { measureName: 'field', dimensionsToFields: ['site'], timestamps: 'rfc3339' },
    });
    expect(report.status).toBe('proved');
    const seen = (await influxd.values()).find(
      ({ field, time }) => field === 'seen' && time === '2024-02-29T12:00:00.000000007Z',
    );
    expect(seen).toMatchObject({ type: 'string', value: '2024-02-29T12:00:00Z', tags: { device: 'd 0' } });
  });

  test('goes on from the last proved migration, with an overlap, and changes nothing when run twice', async () => {
    const first = await run({ tables: ['machines'] });
    expect(first.status).toBe('proved');
    const before = await influxd.values();
    const second = await run({ tables: ['machines'], from: 'last' });
    const third = await run({ tables: ['machines'], from: 'last' });
    expect([second.status, third.status]).toEqual(['proved', 'proved']);
    expect(proofOf(third.migrationId).tables[0]).toMatchObject({ manifest_rows: 60 });
    expect(await influxd.values()).toEqual(before);
  });

  describe('from last', () => {
    const tables = ['machines'];
    const time = (hours: number) => new Date(NOW + hours * 3_600_000).toISOString();
    /** Rows that a migration from the end of the proved range finds: three per hour from -24 to -4. */
    const surveyed = async (input: object = {}) => {
      const { migrationId } = await run({ tables, from: 'last', dryRun: true, ...input });
      const page = readFileSync(join(source.folder, WORK, 'migrations', migrationId, 'report.txt'), 'utf8');
      return /machines: (\d+) rows/.exec(page)?.[1];
    };
    const prove = async (input: object, nowMs = NOW + 3_600_000) =>
      expect((await run({ tables, ...input }, { now: () => nowMs })).status).toBe('proved');

    test.each([
      ['later', [{ to: time(-22) }, { from: time(-5), to: time(1) }]],
      ['earlier', [{ from: time(-5), to: time(1) }, { to: time(-22) }]],
    ])(
      'a range that leaves a gap, because it is %s, does not move where the next migration begins',
      async (_, runs) => {
        for (const each of runs) await prove(each);
        // From 24 hours before the end of the first range: all rows.
        expect(await surveyed()).toBe('60');
      },
    );

    test('ranges that touch are one, and an older one does not move the end back', async () => {
      await prove({ to: time(-22) });
      await prove({ from: time(-22), to: time(1) });
      await prove({ to: time(-23) });
      // From 23 hours before now.
      expect(await surveyed()).toBe('57');
      await prove({ from: 'last', to: time(0) });
      expect(await surveyed()).toBe('57');
    });

    test('a proved range ends with the start of its migration: rows may still arrive before an end in the future', async () => {
      await prove({ to: time(1_000_000) }, NOW);
      expect(await surveyed()).toBe('60');
    });

    test('other mappings make other points, so their range begins anew', async () => {
      await fill(source, 'years', [
        multi({ room: 'a' }, { t: ['DOUBLE', '1'] }, START - 1_000n * HOUR),
        multi({ room: 'a' }, { t: ['DOUBLE', '2'] }, START),
      ]);
      const rows = async (mapping: object) =>
        (await run({ tables: ['years'], from: 'last', dryRun: true, mapping })).message;
      expect((await run({ tables: ['years'] })).status).toBe('proved');
      expect(await rows({})).toContain('with 1 row can');
      expect(await rows({ measureName: 'drop' })).toContain('with 2 rows can');
    });
  });

  test('a dry run writes nothing, and shows tables, rows and what it will cost', async () => {
    const report = await run({ dryRun: true });
    expect(report.status).toBe('surveyed');
    const page = readFileSync(join(source.folder, WORK, 'migrations', report.migrationId, 'report.txt'), 'utf8');
    expect(page).toContain('machines: 60 rows from 2024-02-29T12:00:00.000000007Z');
    expect(page).toContain('2 dimensions, 5 measures');
    expect(page).toContain('empty-table (nothing)');
    expect(page).toMatch(/\$\d+\.\d\d at \$0\.01 per GB/);
    expect(page).toMatch(/for the survey: \$\d+\.\d\d at/);
    expect(await influxd.values()).toEqual([]);
  });
});
