/**
 * The write function with the memory limit of a deployment: the largest requests that its limits allow, and hostile ones. Each gets a
 * response, and the process stays within the memory, because Lambda would kill it above the limit.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadConnectorConfig } from 'shared/config';
import { bundleWriteFunction } from '../support/bundled-function';
import { bodyOf, SHAPES, startWithMemory } from '../support/lambda-memory';
import type { LambdaRuntime } from '../support/lambda-runtime';
import { PEAK_MEMORY_IS_KNOWN, peakMegabytes } from '../support/peak-memory';
import { ScriptedServer } from '../support/scripted-server';

const BIG_MEGABYTES = 25;
/** Long deadlines, so that on a busy machine no response here comes from the deadline. */
const ENVIRONMENT = { write_deadline_millis: '25000', rest_api_gateway_timeout_in_millis: '60000' };
/** Distinct tags and fields per line, for the shapes where each line has its own. */
const DISTINCT: Readonly<Record<string, number>> = {
  'one series per line': 1,
  'one measurement per line': 5,
  'one distinct field per line': 1,
};

if (!PEAK_MEMORY_IS_KNOWN) test.skip('peak memory [skipped: no /proc]', () => undefined);
else {
  describe.each([
    [128, 'timestream'],
    [256, 'timestream'],
    [128, 'both'],
    [256, 'both'],
    [128, 'influxdb'],
  ])('a function of %i MB with destination %s', (memory, destination) => {
    const { bounds } = loadConnectorConfig({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memory) });
    let folder: string;
    let sink: ScriptedServer;
    let runtime: LambdaRuntime;
    /** InfluxDB's response to a write. */
    let answer: (lines: string) => { status: number; body?: string };

    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'memory-'));
      bundleWriteFunction(folder);
      sink = await ScriptedServer.start(({ path: route, body }) =>
        route === '/api/v2/write' ? answer(body) : { status: 200, body: '{}' },
      );
    });
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await sink.stop();
    });
    beforeEach(async () => {
      answer = () => ({ status: 204 });
      runtime = await startWithMemory(memory, folder, {
        destination,
        AWS_ENDPOINT_URL_TIMESTREAM_WRITE: sink.url,
        // Not 127.0.0.1: for this machine the function does not compress.
        INFLUXDB_URL: sink.url.replace('127.0.0.1', '0.0.0.0'),
        INFLUXDB_TOKEN: 'token',
        ...ENVIRONMENT,
      });
    });
    afterEach(async () => {
      sink.requests.length = 0;
      await runtime.stop();
    });

    /** Sends the body as base64, like API Gateway with BinaryMediaTypes. */
    async function send(body: Uint8Array): Promise<number | string> {
      const outcome = await runtime.invoke({
        httpMethod: 'POST',
        path: '/api/v2/write',
        headers: {},
        body: Buffer.from(body).toString('base64'),
        isBase64Encoded: true,
      });
      return 'error' in outcome ? outcome.error.errorMessage : (outcome.result as { statusCode: number }).statusCode;
    }

    test.each(SHAPES)('stores the largest request that it accepts: $name', async (shape) => {
      // The limit of distinct tags and fields is for Timestream's records.
      const perLine = destination === 'influxdb' ? undefined : DISTINCT[shape.name];
      const distinct = perLine === undefined ? bounds.maxLines : Math.floor((bounds.maxTagsAndFields - 100) / perLine);
      const isGood = shape.name !== 'invalid lines';
      const escaped = shape.name === 'control characters' ? 0.6 : 1;
      const body = bodyOf(shape, bounds.maxDecompressedBytes * escaped, Math.min(bounds.maxLines, distinct));
      for (let repeat = 0; repeat < 2; repeat++) expect(await send(body)).toBe(isGood ? 204 : 400);
      expect(peakMegabytes(runtime.pid)).toBeLessThan(memory);
      const isCompressed = sink.requests.some(({ headers }) => headers['content-encoding'] === 'gzip');
      expect(isCompressed).toBe(isGood && destination !== 'timestream');
    });

    if (destination !== 'timestream') {
      test.each(SHAPES.slice(0, 2))(
        'stays within the memory when InfluxDB rejects every line: $name',
        async (shape) => {
          answer = (lines) => ({
            status: 400,
            body: JSON.stringify({ message: lines.trim().replace(/^.*$/gm, "unable to parse '$&': no reason") }),
          });
          const body = bodyOf(shape, bounds.maxDecompressedBytes, bounds.maxLines);
          expect(await send(body)).toBe(400);
          expect(peakMegabytes(runtime.pid)).toBeLessThan(memory);
        },
      );
    }

    test.each(SHAPES)('returns 413 for a larger request: $name', async (shape) => {
      const body = bodyOf(shape, BIG_MEGABYTES * 1e6, 90_000);
      expect(await send(gzipSync(body, { level: 1 }))).toBe(413);
      expect(await send(Buffer.from('m,t=a v=1'))).toBe(204);
      expect(peakMegabytes(runtime.pid)).toBeLessThan(memory);
    });

    test('returns 413 for a gzip bomb of 1 GB', async () => {
      const bomb = Buffer.concat(Array.from({ length: 16 }, () => gzipSync(Buffer.alloc(64 * 1024 ** 2))));
      expect(await send(bomb)).toBe(413);
      expect(await send(Buffer.from('m,t=a v=1'))).toBe(204);
      expect(peakMegabytes(runtime.pid)).toBeLessThan(memory);
    });
  });
}
