/** Loads during which a real InfluxDB is killed: after a restart the load is complete, without a restart it ends soon. */

import { describeWithInfluxd, Influxd, STARTING_MS } from '../../support/influxd';
import { configOf, DATA, load, parquetOf, testStore } from '../../support/loader';
import { testReader } from '../../support/parquet';

const ROWS = 60_000;
const reader = testReader();
const s3 = testStore();
const input = { bucket: DATA, prefix: 'generation/', maxConcurrency: 2 };

describeWithInfluxd('a load during which InfluxDB is killed', (binary) => {
  let influxd: Influxd;
  let file: Buffer;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    file = await parquetOf(`
      SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "timestamp", 'norte' AS region, i::DOUBLE AS "value", 'MW' AS unit,
        'solar' AS energy_source, 'generation' AS measurement_type
      FROM range(${ROWS}) AS r(i)`);
  }, STARTING_MS);
  beforeEach(() => {
    for (const name of ['a', 'b']) s3.store.put(DATA, `generation/dataset=generation/${name}.parquet`, file);
  });
  afterAll(() => influxd.remove());

  const run = (bucket: string, onLines: (lines: number) => void, options = {}) => {
    let lines = 0;
    const onBatch = (count: number) => {
      lines += count;
      onLines(lines);
    };
    const config = configOf(influxd.url, { INFLUXDB_BUCKET: bucket });
    return load(input, { objects: s3.objects, reader }, config, { load: { onBatch, ...options } });
  };
  /** Calls `then` once, at about a third of the rows. */
  const atAThird = (then: () => void) => {
    let isDone = false;
    return (lines: number) => {
      if (isDone || lines < ROWS / 3) return;
      isDone = true;
      then();
    };
  };

  test('is complete when InfluxDB comes back', async () => {
    await influxd.makeBucket('back');
    let back: Promise<void> = Promise.resolve();
    const summary = await run(
      'back',
      atAThird(() => {
        back = influxd.kill().then(() => influxd.restart());
      }),
    );
    await back;
    expect(summary).toMatchObject({ statusCode: 200, points_written: 2 * ROWS, failed_items: 0 });
    // Both files have the same points.
    expect(await influxd.count('power_mw', 'back')).toBe(ROWS);
  }, 60_000);

  test('ends with a clear error if InfluxDB stays down, and a second load completes it', async () => {
    await influxd.makeBucket('gone');
    let gone: Promise<void> = Promise.resolve();
    const summary = await run(
      'gone',
      atAThird(() => {
        gone = influxd.kill();
      }),
      { breaker: { failAfterMs: 300, probeEveryMs: 50 } },
    );
    await gone;
    expect(summary).toMatchObject({ failed_items: 2, withinTolerance: false });
    expect(summary.causes[0]).toMatchObject({
      error: 'InfluxDBConnectionError',
      cause: expect.stringMatching(/^InfluxDB was unavailable for 0.3 s: .*ECONNREFUSED/),
    });

    await influxd.restart();
    // Both files have the same points, so these may have been written twice.
    expect(summary.points_written).toBeGreaterThan(0);
    expect(await influxd.count('power_mw', 'gone')).toBeGreaterThanOrEqual(summary.points_written / 2);
    const config = configOf(influxd.url, { INFLUXDB_BUCKET: 'gone' });
    const second = await load({ plan: summary.failedItems }, { objects: s3.objects, reader }, config, {
      loadId: 'load-2',
    });
    expect(second).toMatchObject({ statusCode: 200, points_written: 2 * ROWS, failed_items: 0, failedItems: null });
    expect(await influxd.count('power_mw', 'gone')).toBe(ROWS);
  }, 60_000);
});
