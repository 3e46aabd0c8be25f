/** The function, built by `sam build`, outside of the repository and without the layer, in a Lambda-like runtime. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { numberedLines, TIME } from '../contract/connector/harness';
import { DATABASE, type Harness, select, startHarness } from '../contract/timestream/harness';
import { LambdaRuntime } from '../support/lambda-runtime';
import { S3Double } from '../support/s3-double';
import { ScriptedServer } from '../support/scripted-server';

const ROOT = path.resolve(__dirname, '../..');
const BUILD = path.join(ROOT, '.aws-sam/build');
const EVENTS = path.join(ROOT, 'events');
const PREFIX = 'write-line-protocol';

const eventFiles = readdirSync(EVENTS).filter((file) => file.startsWith(PREFIX) && file.endsWith('.json'));
const readEvent = (file: string): object => JSON.parse(readFileSync(path.join(EVENTS, file), 'utf8')) as object;

if (existsSync(path.join(BUILD, 'template.yaml'))) {
  describe('the built write function', () => {
    let folder: string;
    let timestream: Harness;
    let runtime: LambdaRuntime;

    beforeAll(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'lambda-'));
      cpSync(path.join(BUILD, 'WriteLineProtocolFunction'), path.join(folder, 'task'), { recursive: true });
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    beforeEach(async () => {
      timestream = await startHarness({ now: Date.now });
      const environment = { AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestream.server.url, write_deadline_millis: '28000' };
      runtime = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
    });
    afterEach(async () => {
      await runtime.stop();
      await timestream.close();
    });

    const rows = (table: string, what = 'count(*)') =>
      select(timestream, `SELECT ${what} FROM "${DATABASE}"."${table}"`);

    test('the layer has no AWS SDK, and no file of the function needs the layer', () => {
      const layer = path.join(BUILD, 'SharedLayer/nodejs/node_modules');
      const packages = readdirSync(layer, { recursive: true }).map(String);
      expect(packages).toContain('shared');
      expect(packages.filter((name) => /(^|\/)(@aws-sdk|@smithy)(\/|$)/.test(name))).toEqual([]);
      for (const file of packages.filter((name) => name.startsWith('shared') && name.endsWith('.js'))) {
        expect([file, /require\("@(?:aws-sdk|smithy)/.test(readFileSync(path.join(layer, file), 'utf8'))]).toEqual([
          file,
          false,
        ]);
      }
      for (const file of readdirSync(path.join(folder, 'task'))) {
        expect([file, /require\("shared\//.test(readFileSync(path.join(folder, 'task', file), 'utf8'))]).toEqual([
          file,
          false,
        ]);
      }
    });

    test('a sample event exists for each accepted shape', () => {
      expect(eventFiles.map((file) => file.slice(PREFIX.length, -'.json'.length)).sort()).toEqual([
        '',
        '-asynchronous',
        '-bare',
        '-gzip',
        '-http-api',
      ]);
    });

    test.each(eventFiles)('events/%s is stored', async (file) => {
      const event = readEvent(file);
      const outcome = await runtime.invoke(event);
      if ('asynchronous' in event) expect(outcome).toEqual({ result: null });
      else expect(outcome).toMatchObject({ result: { statusCode: 204, body: '', isBase64Encoded: false } });
      expect((await rows('weather', 'city, temperature, humidity, to_milliseconds(time)')).sort()).toEqual([
        ['Lisbon', '21.5', '40', `${TIME}000`],
        ['Porto', '18.0', '61', `${TIME}000`],
      ]);
    });

    test('reports invalid lines, stores the valid ones, and logs one JSON object per line without points', async () => {
      const body = `${numberedLines('many', 2_000).join('\n')}\nbroken\nmany,ts_x=private v=1\n`;
      const outcome = await runtime.invoke({ body });
      expect(outcome).toMatchObject({ result: { statusCode: 400 } });
      expect(JSON.parse((outcome as { result: { body: string } }).result.body)).toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(
          /^partial write: unable to parse 'broken': at line 2001:\d+: .*\nline 2002: .* dropped=2$/,
        ),
      });
      expect(await rows('many')).toEqual([['2000']]);
      const entries = runtime.log.trim().split('\n');
      expect(entries.map((line) => JSON.parse(line) as unknown)).toContainEqual(
        expect.objectContaining({
          level: 'INFO',
          message: 'write',
          points: 2_000,
          stored: 2_000,
          faultyLines: 1,
          rejectedLines: 1,
        }),
      );
      expect(runtime.log).not.toMatch(/private|MaxListeners/);
    });

    test('asynchronous mode loads its own bundle of clients, stores the points, and queues invalid lines', async () => {
      // The calls of Lambda and SQS that the function uses.
      const services = await ScriptedServer.start(({ path: route, body }) => {
        if (route.endsWith('/invocations')) return { status: 202 };
        const { MessageBody } = JSON.parse(body) as { MessageBody: string };
        const digest = createHash('md5').update(MessageBody).digest('hex');
        return { status: 200, body: JSON.stringify({ MessageId: '1', MD5OfMessageBody: digest }) };
      });
      const environment = {
        AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestream.server.url,
        AWS_ENDPOINT_URL_LAMBDA: services.url,
        enable_async_invocation: 'true',
        dead_letter_queue_url: `${services.url}/123456789012/queue`,
        write_deadline_millis: '28000',
      };
      const asynchronous = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
      try {
        const body = `m,host=a v=1 ${TIME}000000000\nbroken`;
        expect(await asynchronous.invoke({ body })).toMatchObject({ result: { statusCode: 202 } });
        const [handOver] = services.requests;
        expect(handOver?.path).toMatch(/\/functions\/connector\/invocations$/);
        expect(handOver?.headers['x-amz-invocation-type']).toBe('Event');
        expect(await asynchronous.invoke(JSON.parse(handOver?.body ?? ''))).toEqual({ result: null });
        expect(await rows('m')).toEqual([['1']]);
        const [, message] = services.requests;
        const { MessageBody } = JSON.parse(message?.body ?? '') as { MessageBody: string };
        expect(JSON.parse(MessageBody)).toMatchObject({ asynchronous: true, body: 'broken\n' });
      } finally {
        await asynchronous.stop();
        await services.stop();
      }
    });

    test('rejected lines go to a bucket, with a client that is loaded for the first of them', async () => {
      const code = (file: string) => readFileSync(path.join(folder, 'task', file), 'utf8');
      const s3Client = /PutObject/;
      expect(['handler.js', 'rejected-lines-bucket.js'].map((file) => s3Client.test(code(file)))).toEqual([
        false,
        true,
      ]);
      const s3 = await S3Double.start();
      const environment = {
        AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestream.server.url,
        AWS_ENDPOINT_URL_S3: s3.url,
        rejected_lines_bucket: 'rejected',
        write_deadline_millis: '28000',
      };
      const keeping = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
      try {
        expect(await keeping.invoke({ body: `kept,host=a v=1 ${TIME}000000000` })).toMatchObject({
          result: { statusCode: 204 },
        });
        expect(s3.requests).toEqual([]);
        const outcome = await keeping.invoke({ body: `kept,host=b v=1 ${TIME}000000000\nbroken` });
        const [address = ''] = /s3:\/\/\S+/.exec(JSON.stringify(outcome)) ?? [];
        const object = s3.objects.get(address.replace('s3://', ''));
        expect(JSON.parse(gunzipSync(object ?? '').toString())).toMatchObject({ line: 2, text: 'broken' });
        expect(await rows('kept')).toEqual([['2']]);
      } finally {
        await keeping.stop();
        await s3.stop();
      }
    });

    describe.each(['timestream', 'influxdb', 'both'])('with destination %s', (destination) => {
      const bundles = { timestream: 'timestream-sdk.js', influxdb: 'secrets.js' };
      const isUsed = (name: string): boolean => destination === 'both' || destination === name;
      let copy: string;
      let influxdb: ScriptedServer;
      let writing: LambdaRuntime;

      beforeEach(async () => {
        copy = mkdtempSync(path.join(tmpdir(), 'lambda-'));
        cpSync(folder, copy, { recursive: true });
        // Loading the clients of the other destination would fail.
        for (const [name, file] of Object.entries(bundles)) if (!isUsed(name)) rmSync(path.join(copy, 'task', file));
        influxdb = await ScriptedServer.start(({ path: route }) =>
          route === '/api/v2/write' ? { status: 204 } : { status: 200, body: '{"SecretString":"the-token"}' },
        );
        const environment = {
          destination,
          write_deadline_millis: '28000',
          ...(isUsed('timestream') && { AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestream.server.url }),
          ...(isUsed('influxdb') && {
            AWS_ENDPOINT_URL_SECRETS_MANAGER: influxdb.url,
            INFLUXDB_URL: influxdb.url,
            INFLUXDB_TOKEN_SECRET_NAME: 'the-secret',
          }),
        };
        writing = await LambdaRuntime.start({ folder: copy, handler: 'handler.handler', environment });
      });
      afterEach(async () => {
        await writing.stop();
        await influxdb.stop();
        rmSync(copy, { recursive: true, force: true });
      });

      test('stores points with the clients of this destination alone', async () => {
        const body = `m,host=a v=1 ${TIME}000000000\n`;
        expect(await writing.invoke({ body })).toMatchObject({ result: { statusCode: 204 } });
        if (isUsed('timestream')) expect(await rows('m')).toEqual([['1']]);
        const writes = influxdb.requests.filter((request) => request.path === '/api/v2/write');
        expect(writes.map((write) => [write.headers.authorization, write.body])).toEqual(
          isUsed('influxdb') ? [['Token the-token', body]] : [],
        );
      });
    });

    test('the handler has no client of the SDK, and each other file has its own', () => {
      const code = (file: string) => readFileSync(path.join(folder, 'task', file), 'utf8');
      const files = ['handler.js', 'timestream-sdk.js', 'secrets.js'];
      const has = (text: RegExp) => files.map((file) => text.test(code(file)));
      expect(has(/DescribeDatabase/)).toEqual([false, true, false]);
      expect(has(/GetSecretValue/)).toEqual([false, false, true]);
      expect(has(/smithy/i)).toEqual([false, true, true]);
    });

    describe('of a write, the SDK’s client for Timestream', () => {
      let copy: string;
      let starting: LambdaRuntime;

      beforeEach(async () => {
        copy = mkdtempSync(path.join(tmpdir(), 'lambda-'));
        cpSync(folder, copy, { recursive: true });
        const sdk = path.join(copy, 'task/timestream-sdk.js');
        writeFileSync(sdk, `console.log('the SDK is loaded');\n${readFileSync(sdk, 'utf8')}`);
        const environment = { AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestream.server.url };
        starting = await LambdaRuntime.start({ folder: copy, handler: 'handler.handler', environment });
      });
      afterEach(async () => {
        await starting.stop();
        rmSync(copy, { recursive: true, force: true });
      });

      test('is not loaded for an existing table, and is loaded to create one', async () => {
        const write = async (to: LambdaRuntime, table: string) =>
          expect(await to.invoke({ body: `${table},host=a v=1 ${TIME}000000000\n` })).toMatchObject({
            result: { statusCode: 204 },
          });
        await write(runtime, 'existing');
        await write(starting, 'existing');
        expect(starting.log).not.toContain('the SDK is loaded');
        await write(starting, 'fresh');
        expect(starting.log).toContain('the SDK is loaded');
        expect(await rows('existing')).toEqual([['1']]);
        expect(await rows('fresh')).toEqual([['1']]);
      });
    });

    test('a request to a bucket that is not listed gets 404', async () => {
      const environment = {
        destination: 'influxdb',
        INFLUXDB_URL: 'http://127.0.0.1:9',
        INFLUXDB_TOKEN: 'the-token',
        bucket_mapping: 'here=there',
      };
      const mapped = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
      const outcome = await mapped.invoke({ body: 'm v=1', queryStringParameters: { org: 'o', bucket: 'elsewhere' } });
      await mapped.stop();
      expect(outcome).toMatchObject({ result: { statusCode: 404 } });
    });

    test('an invalid configuration fails the start with every problem', async () => {
      const environment = { database_name: 'no name', max_line_bytes: 'many', enable_table_creation: '' };
      const broken = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
      const outcome = await broken.invoke({});
      await broken.stop();
      expect(outcome).toMatchObject({ error: { errorType: 'ConfigurationError' } });
      const message = JSON.stringify(outcome);
      for (const name of Object.keys(environment)) expect(message).toContain(name);
    });
  });
} else {
  test.skip('the built function: .aws-sam/build is missing (run npm run build)', () => undefined);
}
