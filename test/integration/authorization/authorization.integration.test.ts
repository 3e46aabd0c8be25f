/** Who gets into the deployed stack: built by SAM, run by MiniStack, over the embedded Timestream. */
import { gzipSync } from 'node:zlib';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { HttpError, setLogger } from '@influxdata/influxdb-client';
import { numberedLines, TIME, writePoint } from '../../contract/connector/harness';
import { DATABASE, type Harness, select, startHarness } from '../../contract/timestream/harness';
import { DEPLOYING_MS, MiniStack, missingForStack } from '../../support/ministack';

const SECRET = 'connector/tokens';
const TOKENS = [
  { token: 'telegraf-token', name: 'telegraf' },
  { token: 'bound-token', buckets: ['metrics'] },
];
/** Of the loader, which is only asked whether it is there. */
const LOADER = { InfluxDBUrl: 'http://127.0.0.1:1', InfluxDBTokenSecretName: 'influxdb/token' };

const missing = missingForStack();
const describeStack = missing === undefined ? describe : describe.skip;

describeStack(`the deployed API${missing === undefined ? '' : ` (${missing})`}`, () => {
  let ministack: MiniStack;
  let timestream: Harness;
  let secrets: SecretsManagerClient;
  let parameters: Record<string, string>;

  beforeAll(async () => {
    setLogger({ error: () => undefined, warn: () => undefined });
    [ministack, timestream] = await Promise.all([MiniStack.start(), startHarness({ now: Date.now })]);
    secrets = new SecretsManagerClient(ministack.client);
    await secrets.send(new CreateSecretCommand({ Name: SECRET, SecretString: JSON.stringify({ tokens: TOKENS }) }));
    // A machine that is busy takes its time to start the functions.
    parameters = {
      TimestreamWriteEndpoint: timestream.server.url,
      WriteDeadlineMillis: '28000',
      LambdaMemorySize: '512',
    };
  }, DEPLOYING_MS);

  afterAll(async () => {
    ministack?.stop();
    secrets?.destroy();
    await timestream?.close();
  });

  const count = async (table: string): Promise<number> =>
    Number((await select(timestream, `SELECT count(*) FROM "${DATABASE}"."${table}"`))[0]?.[0]);
  const send = (path: string, headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>) =>
    fetch(ministack.apiUrl + path, { method: 'POST', headers, body });
  const write = (lines: readonly string[], headers: Record<string, string> = {}, query = 'bucket=b&org=o') =>
    send(`/api/v2/write?${query}`, headers, lines.join('\n'));

  describe('with AuthMode IAM', () => {
    beforeAll(() => ministack.deploy(parameters), DEPLOYING_MS);

    test('a signed request is stored', async () => {
      const response = await ministack.request('POST', '/api/v2/write', numberedLines('signed', 10).join('\n'));
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(await count('signed')).toBe(10);
    });

    test.each([
      ['without any authorization', {}],
      ['with a token', { Authorization: 'Token telegraf-token' }],
    ])('a request %s is answered 403', async (_what, headers: Record<string, string>) => {
      expect((await write(numberedLines('unsigned', 1), headers)).status).toBe(403);
    });
  });

  describe('with AuthMode TOKEN', () => {
    beforeAll(
      () => ministack.deploy({ ...parameters, ...LOADER, AuthMode: 'TOKEN', TokenSecretName: SECRET }),
      DEPLOYING_MS,
    );

    // Source: plugins/outputs/influxdb_v2/http.go of Telegraf.
    const telegraf = (token: string, lines: readonly string[]) =>
      send(
        '/api/v2/write?bucket=telegraf&org=influxdata',
        {
          Authorization: `Token ${token}`,
          'Content-Encoding': 'gzip',
          'Content-Type': 'text/plain; charset=utf-8',
          'User-Agent': 'Telegraf/1.36.0 Go/1.25.0',
        },
        new Uint8Array(gzipSync(`${lines.join('\n')}\n`)),
      );

    test('Telegraf writes', async () => {
      const response = await telegraf('telegraf-token', numberedLines('telegraf', 500));
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(await count('telegraf')).toBe(500);
    });

    test("Telegraf with a wrong token is answered 401, by the API's answer of that type", async () => {
      const response = await telegraf('wrong-token', numberedLines('refused', 1));
      expect(response.status).toBe(401);
      // MiniStack passes over the texts that a definition gives to gateway responses: the tests of the template hold them.
      expect(response.headers.get('x-amzn-ErrorType')).toBe('UnauthorizedException');
    });

    test("InfluxDB's client writes, and is told of a wrong token", async () => {
      await writePoint(ministack.apiUrl, 'telegraf-token');
      expect(await count('client')).toBe(1);
      const refusal = await writePoint(ministack.apiUrl, 'wrong-token').catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(HttpError);
      expect(refusal).toMatchObject({ statusCode: 401 });
    });

    test.each([
      ['Basic', '/write?db=d', { Authorization: `Basic ${Buffer.from('user:telegraf-token').toString('base64')}` }],
      ['u and p', '/write?db=d&u=user&p=telegraf-token', {}],
    ])('a v1 client writes, with %s', async (_form, path, headers: Record<string, string>) => {
      expect((await send(path, headers, `v1,host=a v=1 ${TIME}000000000`)).status).toBe(204);
    });

    test.each([
      ['nothing', {}, 401],
      ['a wrong token', { Authorization: 'Token wrong-token' }, 401],
      ['the token', { Authorization: 'Token telegraf-token' }, 204],
    ])('/ping with %s', async (_what, headers: Record<string, string>, status) => {
      expect((await fetch(`${ministack.apiUrl}/ping`, { headers })).status).toBe(status);
    });

    test('a signature is no token', async () => {
      expect((await ministack.request('POST', '/api/v2/write', 'm,host=a v=1')).status).toBe(401);
    });

    test('a token that is bound to a bucket writes there alone', async () => {
      const headers = { Authorization: 'Token bound-token' };
      expect((await write(numberedLines('bound', 5), headers, 'bucket=metrics&org=o')).status).toBe(204);
      const refused = await write(numberedLines('bound', 10), headers, 'bucket=other&org=o');
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({ code: 'forbidden' });
      expect(await count('bound')).toBe(5);
    });

    test('loads stay signed', async () => {
      const headers = { Authorization: 'Token telegraf-token' };
      expect((await fetch(`${ministack.apiUrl}/loads/no-such-load`, { headers })).status).toBe(403);
      expect((await ministack.request('GET', '/loads/no-such-load')).status).toBe(404);
    });

    test(
      'a new token works, beside the old one, once it is in the secret',
      async () => {
        const tokens = [...TOKENS, { token: 'next-token' }];
        await secrets.send(new PutSecretValueCommand({ SecretId: SECRET, SecretString: JSON.stringify({ tokens }) }));
        const end = Date.now() + DEPLOYING_MS;
        let response = await telegraf('next-token', numberedLines('rotated', 1));
        // The authorizer looks again at the latest ten seconds after it last did.
        while (response.status === 401 && Date.now() < end) {
          await new Promise((resolve) => setTimeout(resolve, 500));
          response = await telegraf('next-token', numberedLines('rotated', 1));
        }
        expect(response.status).toBe(204);
        expect((await telegraf('telegraf-token', numberedLines('rotated', 1))).status).toBe(204);
      },
      DEPLOYING_MS,
    );
  });
});
