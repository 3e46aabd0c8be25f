/** Sample data through the sample client and the connector into the embedded Timestream, counted by SQL. */
import { loadConnectorConfig } from 'shared/config';
import { TableCreator } from 'shared/timestream/tables';
import { tableAdministration, timestreamClient, writeTarget } from '../../../functions/write-line-protocol/clients';
import { writeRecordsSender } from '../../../functions/write-line-protocol/write-call';
import { createHandler } from '../../../functions/write-line-protocol/write-handler';
import { type RunningConnector, startConnector } from '../../../local/connector/server';
import { writeLines } from '../../../samples/client/line-writer';
import { SAMPLE_DEFAULTS, sampleLines } from '../../../samples/generator/lines';
import { VirtualClock } from '../../virtual-clock';
import { from, type Harness, select, startHarness } from '../timestream/harness';

let timestream: Harness;
let connector: RunningConnector;

beforeAll(async () => {
  timestream = await startHarness({ now: Date.now });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const config = loadConnectorConfig({
    AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestream.server.url,
    write_deadline_millis: '25000',
  });
  const client = timestreamClient(config);
  const administration = tableAdministration(timestream.write);
  const unavailable = () => Promise.reject(new Error('not in this test'));
  const quiet = () => undefined;
  connector = await startConnector({
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: config.bounds.maxCompressedBytes,
    log: quiet,
    handler: createHandler({
      config,
      logger: { addContext: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
      send: writeRecordsSender(writeTarget(client, config), config.region, () => Promise.resolve(credentials)),
      tables: new TableCreator(config.tables, administration, new VirtualClock()),
      checkTimestream: unavailable,
      invokeSelf: unavailable,
      keepRejected: unavailable,
    }),
  });
});

afterAll(async () => {
  await connector.close();
  await timestream.close();
});

test('every line that is written is stored, in several batches, and again without a change', async () => {
  const lines = [...sampleLines({ ...SAMPLE_DEFAULTS, lines: 3_001 })];
  const reports: string[] = [];
  const options = {
    url: connector.url,
    precision: 'ns',
    batchLines: 1_000,
    report: (message: string) => reports.push(message),
  };
  const stored = { stored: 3_001, accepted: 0, dropped: 0, unstored: 0 };
  expect({ ...(await writeLines(lines, options)), reports }).toEqual({ ...stored, reports: [] });
  expect({ ...(await writeLines(lines, options)), reports }).toEqual({ ...stored, reports: [] });

  const count = async (table: string) =>
    Number((await select(timestream, `SELECT count(*) FROM ${from(table)}`))[0]?.[0]);
  expect(await Promise.all(['weather', 'servers', 'machines'].map(count))).toEqual([1_001, 1_000, 1_000]);
});

test('a line that only Timestream can refuse is dropped and named, the others are stored', async () => {
  const reports: string[] = [];
  const lines = ['conflict,t=1 v=1 1', 'conflict,t=1 v=2i 1767225600', 'conflict,t=1 v=3 1767225601'];
  const options = {
    url: connector.url,
    precision: 's',
    batchLines: 5_000,
    report: (text: string) => reports.push(text),
  };
  expect(await writeLines(lines, options)).toMatchObject({ stored: 1, dropped: 2, unstored: 0 });
  expect(reports).toEqual([expect.stringMatching(/^lines 1 to 3: HTTP 422: .*line 1: .*\nline [23]: .* dropped=2$/s)]);
});
