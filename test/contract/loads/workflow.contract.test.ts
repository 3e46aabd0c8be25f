/** The steps in a row, against a store and an InfluxDB that speak HTTP. */
import { ScriptedServer } from '../../scripted-server';
import { configOf, DATA, fixtureBytes, load, testStore, WORK } from '../../support/loader';
import { testReader } from '../../support/parquet';

const reader = testReader();
const s3 = testStore();
let influxdb: ScriptedServer;
/** Every line that was written. */
const lines = (): string[] => influxdb.requests.flatMap(({ body }) => body.split('\n')).filter((line) => line !== '');

beforeAll(async () => {
  influxdb = await ScriptedServer.start(() => ({ status: 204 }));
});
beforeEach(() => {
  influxdb.requests.length = 0;
});
afterAll(() => influxdb.stop());

const harness = () => ({ objects: s3.objects, reader });
const run = (input: object, environment: Record<string, string> = {}, options: Parameters<typeof load>[3] = {}) =>
  load(input, harness(), configOf(influxdb.url, environment), options);

/** A plan of one row group an item. */
const small = { targets: { bytes: 1, rows: 1 } };

describe('a prefix', () => {
  it('is loaded file by file, and row group by row group', async () => {
    s3.store.put(DATA, 'in/dataset=generation/a.parquet', fixtureBytes('codec-snappy'));
    s3.store.put(DATA, 'in/dataset=generation/b.parquet', fixtureBytes('codec-gzip'));
    s3.store.put(DATA, 'in/transmission/c.parquet', fixtureBytes('transmission-mw'));
    s3.store.put(DATA, 'in/transmission/_SUCCESS', '');
    s3.store.put(DATA, 'in/transmission/export_manifest.json', '{}');
    s3.store.put(DATA, 'elsewhere/generation/d.parquet', fixtureBytes('codec-gzip'));
    const summary = await run({ bucket: DATA, prefix: 'in/' }, {}, { plan: small });
    expect(summary).toMatchObject({
      loadId: 'load-1',
      statusCode: 200,
      files: 3,
      ignored: 2,
      items: 7,
      failed_items: 0,
      source_records: 604,
      points_written: 604,
      failed_batches: 0,
      datasets: { generation: { points_written: 600 }, transmission: { points_written: 4 } },
      failedItems: null,
      summary: `s3://${WORK}/loads/load-1/summary.json`,
      withinTolerance: true,
    });
    expect(lines()).toHaveLength(604);
    expect(JSON.parse(s3.store.text(WORK, 'loads/load-1/summary.json'))).toEqual(summary);
  });
});
