/** Whose requests the deployed stack accepts, and which points it stores. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { HttpError, setLogger } from '@influxdata/influxdb-client';
import type { AwsCredentialIdentity } from '@smithy/types';
import { SAMPLE_DEFAULTS, sampleLines } from '../../../samples/generator/lines';
import { numberedLines, TIME, writePoint } from '../../contract/connector/harness';
import { type MiniStack, until } from '../../support/ministack';
import { type Deployed, REJECTED } from './deployed';

const SECRET = 'connector/tokens';
const TOKENS = [
  { token: 'telegraf-token', name: 'telegraf' },
  { token: 'bound-token', buckets: ['metrics'] },
];
/** Parameters of the loader; its InfluxDB is never used. */
const LOADER = {
  InfluxDBUrl: 'http://127.0.0.1:1',
  InfluxDBTokenSecretName: 'influxdb/token',
  DataBucketName: 'no-such-bucket',
};

const WRITE_POLICY = readFileSync(resolve(__dirname, '../../../docs/iam/write.json'), 'utf8');
/** The result of the sample client for ten refused lines. */
const REFUSED = {
  stored: 0,
  accepted: 0,
  dropped: 0,
  unstored: 10,
  reports: [expect.stringMatching(/^lines 1 to 10: HTTP 403: /)],
};

/** @param deployed the running emulator */
export function describeAuthorization(deployed: () => Deployed): void {
  let ministack: MiniStack;
  let secrets: SecretsManagerClient;

  beforeAll(async () => {
    setLogger({ error: () => undefined, warn: () => undefined });
    ({ ministack } = deployed());
    secrets = new SecretsManagerClient(ministack.client);
    await secrets.send(new CreateSecretCommand({ Name: SECRET, SecretString: JSON.stringify({ tokens: TOKENS }) }));
  });
  afterAll(() => secrets.destroy());

  const count = (table: string): Promise<number> => deployed().count(table);
  const send = (path: string, headers: Record<string, string>, body: string | Uint8Array<ArrayBuffer>) =>
    fetch(ministack.apiUrl + path, { method: 'POST', headers, body });
  const write = (lines: readonly string[], headers: Record<string, string> = {}, query = 'bucket=b&org=o') =>
    send(`/api/v2/write?${query}`, headers, lines.join('\n'));

  /** The access key of a new user of the account. */
  async function newUser(UserName: string, PolicyDocument?: string): Promise<AwsCredentialIdentity> {
    const iam = new IAMClient(ministack.client);
    await iam.send(new CreateUserCommand({ UserName }));
    if (PolicyDocument !== undefined)
      await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'Given', PolicyDocument }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }

  describe('with AuthMode IAM', () => {
    const s3 = () => new S3Client(ministack.client);
    beforeAll(async () => {
      await s3().send(new CreateBucketCommand({ Bucket: REJECTED }));
      await deployed().deploy({ RejectedLinesBucket: REJECTED });
    });

    test('3,001 lines signed by the sample client are stored; sending them again changes nothing', async () => {
      const lines = [...sampleLines({ ...SAMPLE_DEFAULTS, lines: 3_001 })];
      const written = { stored: 3_001, accepted: 0, dropped: 0, unstored: 0, reports: [] };
      const { credentials } = ministack.client;
      expect(await deployed().writeSamples(lines, credentials)).toEqual(written);
      expect(await deployed().writeSamples(lines, credentials)).toEqual(written);
      expect(await Promise.all(['weather', 'servers', 'machines'].map(count))).toEqual([1_001, 1_000, 1_000]);
    });

    test('the sample client gets 403 without a signature, and nothing is stored', async () => {
      expect(await deployed().writeSamples(numberedLines('refused', 10), undefined)).toEqual(REFUSED);
      expect(await count('refused')).toBe(0);
    });

    test('a user with the policy docs/iam/write.json can write, and a user without it gets 403', async () => {
      const [, account = '', api = ''] = /:(\d+):(\w+)\//.exec(ministack.output('WriteResourceArn')) ?? [];
      const policy = WRITE_POLICY.replaceAll('123456789012', account).replaceAll('API_ID', api);
      const lines = numberedLines('by-a-user', 10);
      expect(await deployed().writeSamples(lines, await newUser('nobody'))).toEqual(REFUSED);
      expect(await count('by-a-user')).toBe(0);
      const writer = await newUser('writer', policy);
      expect(await deployed().writeSamples(lines, writer)).toMatchObject({ stored: 10 });
      expect(await count('by-a-user')).toBe(10);
      const v1 = await ministack.request('POST', '/write', `by-a-user,host=v1 v=1 ${TIME}000000000`, writer);
      expect([v1.status, await count('by-a-user')]).toEqual([204, 11]);
      const responses = ['/ping', '/health', '/ready'].map((path) => ministack.request('GET', path, undefined, writer));
      expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([204, 200, 200]);
    });

    test('a rejected line causes 400 and is kept in the bucket, and the other lines are stored', async () => {
      const lines = [...numberedLines('partly', 5), 'partly,host=a value='];
      const response = await ministack.request('POST', '/api/v2/write', lines.join('\n'));
      expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('dropped=1')]);
      expect(await count('partly')).toBe(5);

      const { Contents = [] } = await s3().send(new ListObjectsV2Command({ Bucket: REJECTED }));
      expect(Contents).toHaveLength(1);
      const { Body } = await s3().send(new GetObjectCommand({ Bucket: REJECTED, Key: Contents[0]?.Key }));
      expect(gunzipSync((await Body?.transformToByteArray()) ?? '').toString()).toContain('partly,host=a value=');
    });

    test('a signed request is stored', async () => {
      const response = await ministack.request('POST', '/api/v2/write', numberedLines('signed', 10).join('\n'));
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(await count('signed')).toBe(10);
    });

    test.each([
      ['without any authorization', {}],
      ['with a token', { Authorization: 'Token telegraf-token' }],
    ])('a request %s gets 403', async (_what, headers: Record<string, string>) => {
      expect((await write(numberedLines('unsigned', 1), headers)).status).toBe(403);
    });
  });

  describe('with AuthMode TOKEN', () => {
    beforeAll(() => deployed().deploy({ ...LOADER, AuthMode: 'TOKEN', TokenSecretName: SECRET }));

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

    test('a request of Telegraf is stored', async () => {
      const response = await telegraf('telegraf-token', numberedLines('telegraf', 500));
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(await count('telegraf')).toBe(500);
    });

    test("a request of Telegraf with a wrong token gets the API's own 401 response", async () => {
      const response = await telegraf('wrong-token', numberedLines('refused', 1));
      expect(response.status).toBe(401);
      // MiniStack ignores the texts of gateway responses; the tests of the template verify them.
      expect(response.headers.get('x-amzn-ErrorType')).toBe('UnauthorizedException');
    });

    test("InfluxDB's client can write, and reports a wrong token", async () => {
      await writePoint(ministack.apiUrl, 'telegraf-token');
      expect(await count('client')).toBe(1);
      const refusal = await writePoint(ministack.apiUrl, 'wrong-token').catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(HttpError);
      expect(refusal).toMatchObject({ statusCode: 401 });
    });

    test.each([
      ['Basic', '/write?db=d', { Authorization: `Basic ${Buffer.from('user:telegraf-token').toString('base64')}` }],
      ['u and p', '/write?db=d&u=user&p=telegraf-token', {}],
    ])('a v1 client can write with %s', async (_form, path, headers: Record<string, string>) => {
      expect((await send(path, headers, `v1,host=a v=1 ${TIME}000000000`)).status).toBe(204);
    });

    test.each([
      ['nothing', 401, {}],
      ['a wrong token', 401, { Authorization: 'Token wrong-token' }],
      ['the token', 204, { Authorization: 'Token telegraf-token' }],
    ])('/ping with %s gets %i', async (_what, status, headers: Record<string, string>) => {
      expect((await fetch(`${ministack.apiUrl}/ping`, { headers })).status).toBe(status);
    });

    test('a signed request without a token gets 401', async () => {
      expect((await ministack.request('POST', '/api/v2/write', 'm,host=a v=1')).status).toBe(401);
    });

    test('a token that is restricted to a bucket can write only to that bucket', async () => {
      const headers = { Authorization: 'Token bound-token' };
      expect((await write(numberedLines('bound', 5), headers, 'bucket=metrics&org=o')).status).toBe(204);
      const refused = await write(numberedLines('bound', 10), headers, 'bucket=other&org=o');
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({ code: 'forbidden' });
      expect(await count('bound')).toBe(5);
    });

    test('a token cannot start or show loads: they need a signature', async () => {
      const headers = { Authorization: 'Token telegraf-token' };
      expect((await fetch(`${ministack.apiUrl}/loads/no-such-load`, { headers })).status).toBe(403);
      expect((await ministack.request('GET', '/loads/no-such-load')).status).toBe(404);
    });

    test('a new token in the secret works beside the old one', async () => {
      const tokens = [...TOKENS, { token: 'next-token' }];
      await secrets.send(new PutSecretValueCommand({ SecretId: SECRET, SecretString: JSON.stringify({ tokens }) }));
      // The authorizer reads the secret again within ten seconds.
      const response = await until(
        () => telegraf('next-token', numberedLines('rotated', 1)),
        ({ status }) => status !== 401,
      );
      expect(response.status).toBe(204);
      expect((await telegraf('telegraf-token', numberedLines('rotated', 1))).status).toBe(204);
    });
  });
}
