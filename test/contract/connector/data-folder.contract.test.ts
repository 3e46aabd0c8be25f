/** The data folder is deleted while the server runs: no write is acknowledged and lost. */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withStorageFault } from '../../../local/connector/storage';
import { type RunningTimestream, startTimestream } from '../../../local/timestream/server';
import { connectorBefore } from './harness';

const parent = mkdtempSync(join(tmpdir(), 'data-folder-'));
const dataDir = join(parent, '.data');
let timestream: RunningTimestream;

beforeEach(async () => {
  jest.spyOn(console, 'error').mockReturnValue();
  timestream = await startTimestream({ host: '127.0.0.1', port: 0, dataDir });
});
afterEach(async () => {
  await timestream.close();
  rmSync(dataDir, { recursive: true, force: true });
  jest.restoreAllMocks();
});
afterAll(() => rmSync(parent, { recursive: true }));

const REASON = /timestream\.duckdb: the file was deleted or replaced .*: restart the server$/;

test.each([
  ['deleted', () => rmSync(dataDir, { recursive: true })],
  ['moved', () => renameSync(dataDir, join(parent, 'moved'))],
])(
  'a folder that is %s causes 503 with the reason, is logged once and fails the check of the storage',
  async (_, lose) => {
    const connector = await connectorBefore(timestream.url, {});
    try {
      expect((await connector.write('weather,city=Lisbon t=1')).status).toBe(204);
      await expect(timestream.assertWritable()).resolves.toBeUndefined();
      lose();
      await expect(timestream.assertWritable()).rejects.toThrow(REASON);
      expect((await connector.write('weather,city=Lisbon t=2')).status).toBe(503);
      expect((await connector.write('other,city=Lisbon t=2')).status).toBe(503);
      expect(timestream.storageFault()).toMatch(REASON);
      expect(console.error).toHaveBeenCalledTimes(1);

      const busy = { statusCode: 503, headers: {}, body: '{"message":"later"}', isBase64Encoded: false } as const;
      const respond = withStorageFault(
        () => Promise.resolve(busy),
        () => timestream.storageFault(),
      );
      expect(JSON.parse((await respond({}))?.body ?? '')).toEqual({ message: expect.stringMatching(REASON) });
    } finally {
      await connector.close();
    }
  },
);
