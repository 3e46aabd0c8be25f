/** Calls that bypass the SDK's middleware: signed like the SDK's, and sent to the endpoint of Timestream's discovery. */
import { createHash, createHmac } from 'node:crypto';
import net from 'node:net';
import { Readable } from 'node:stream';
import tls from 'node:tls';
import { TimestreamWriteClient, WriteRecordsCommand } from '@aws-sdk/client-timestream-write';
import { loadConnectorConfig } from 'shared/config';
import { timestreamClient, writeRecordsSender } from '../../../functions/write-line-protocol/timestream-clients';
import { type ReceivedRequest, ScriptedServer } from '../../support/scripted-server';

const ACCESS_KEY = 'AKIDEXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const SESSION_TOKEN = 'AQoDYXdzEPT//////////wEXAMPLE';
const RECORD = {
  Dimensions: [{ Name: 'host', Value: 'a' }],
  MeasureName: 'm',
  MeasureValue: '1',
  Time: '1709294400000',
};
const CALL = { DatabaseName: 'db', TableName: 'São', Records: [RECORD] };
const BODY = Buffer.from(JSON.stringify(CALL));
const NEVER = new AbortController().signal;

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Authorization {
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

function authorizationOf({ headers }: ReceivedRequest): Authorization {
  const [, key, scope = '', signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  expect(key).toBe(ACCESS_KEY);
  return { scope, signedHeaders: signed.split(';'), signature };
}

/** The expected signature of a request. Source: "Create a signed AWS API request" in the IAM user guide. */
function signatureOf(request: ReceivedRequest, { scope, signedHeaders }: Authorization): string {
  const { method, path, query, headers, body } = request;
  const canonicalHeaders = signedHeaders.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}\n`);
  const canonical = [method, path, String(query), canonicalHeaders.join(''), signedHeaders.join(';'), sha256(body)];
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical.join('\n'))].join('\n');
  const signingKey = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${SECRET}`);
  return createHmac('sha256', signingKey).update(toSign).digest('hex');
}

describe('the signature', () => {
  let server: ScriptedServer;
  const environment = process.env;
  beforeAll(async () => {
    server = await ScriptedServer.start(() => ({ status: 200, body: '{"RecordsIngested":{"Total":1}}' }));
    process.env = { ...environment, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET };
  });
  afterAll(async () => {
    process.env = environment;
    await server.stop();
  });

  /** The request that the SDK itself makes of the call, and the connector's for the same body. */
  async function bothRequests(): Promise<[ReceivedRequest, ReceivedRequest]> {
    const before = server.requests.length;
    const config = loadConnectorConfig({ AWS_ENDPOINT_URL_TIMESTREAM_WRITE: server.url, region: 'eu-west-1' });
    const client = timestreamClient(config);
    await client.send(new WriteRecordsCommand(CALL as ConstructorParameters<typeof WriteRecordsCommand>[0]));
    expect(await writeRecordsSender(client, config)(BODY, NEVER)).toMatchObject({ status: 200 });
    client.destroy();
    const [sdk, own] = server.requests.slice(before);
    if (sdk === undefined || own === undefined) throw new Error('two requests were expected');
    return [sdk, own];
  }

  test.each([
    ['lasting', undefined],
    ['temporary', SESSION_TOKEN],
  ])(
    'with %s credentials is the one that AWS computes, for the SDK’s request and for the connector’s',
    async (_, token) => {
      if (token === undefined) delete process.env.AWS_SESSION_TOKEN;
      else process.env.AWS_SESSION_TOKEN = token;
      const [sdk, own] = await bothRequests();
      expect(own.body).toBe(sdk.body);
      for (const request of [sdk, own]) {
        const authorization = authorizationOf(request);
        expect(authorization.scope).toMatch(/^\d{8}\/eu-west-1\/timestream\/aws4_request$/);
        expect(authorization.signature).toBe(signatureOf(request, authorization));
      }
      for (const name of ['content-type', 'x-amz-target', 'host', 'content-length', 'x-amz-security-token']) {
        expect([name, own.headers[name]]).toEqual([name, sdk.headers[name]]);
      }
      expect(own.headers['x-amz-security-token']).toBe(token);
      expect([own.method, own.path, String(own.query)]).toEqual([sdk.method, sdk.path, String(sdk.query)]);
      const signed = ['content-type', 'host', 'x-amz-date', 'x-amz-target', ...(token ? ['x-amz-security-token'] : [])];
      expect(authorizationOf(own).signedHeaders).toEqual(expect.arrayContaining(signed));
    },
  );

  test('a changed request has another signature', async () => {
    const [, own] = await bothRequests();
    const authorization = authorizationOf(own);
    expect(signatureOf({ ...own, body: own.body.replace('"a"', '"b"') }, authorization)).not.toBe(
      authorization.signature,
    );
  });
});

/**
 * A Timestream without an `endpoint`: records the requests by operation and host, and responds to them. The SDK does the discovery; the
 * write calls, which would go to a TLS host, are sent to a local server instead.
 */
class Discovery {
  readonly asked: string[] = [];
  addresses = ['cell1.example', 'cell2.example'];
  /** Hosts that return 421 for a write. */
  readonly invalid = new Set<string>();
  describe: 'respond' | 'fail' | 'hang' = 'respond';
  private described = 0;

  readonly client = new TimestreamWriteClient({
    region: 'us-east-1',
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET },
    maxAttempts: 1,
    requestHandler: { handle: (request: { hostname: string }) => this.describeEndpoints(request) },
  });

  private async describeEndpoints({ hostname }: { hostname: string }) {
    this.asked.push(`DescribeEndpoints ${hostname}`);
    if (this.describe === 'hang') await new Promise(() => undefined);
    if (this.describe === 'fail') return this.respond(500, { __type: 'InternalServerException' });
    const Address = this.addresses[Math.min(this.described++, this.addresses.length - 1)];
    return this.respond(200, { Endpoints: [{ Address, CachePeriodInMinutes: 1440 }] });
  }

  /** The response of a host to a write. */
  write({ headers }: ReceivedRequest): { status: number; body: string } {
    this.asked.push(`WriteRecords ${headers.host}`);
    return { status: this.invalid.has(String(headers.host)) ? 421 : 200, body: '{}' };
  }

  private respond(statusCode: number, body: object) {
    return { response: { statusCode, headers: {}, body: Readable.from([Buffer.from(JSON.stringify(body))]) } };
  }
}

describe('without an endpoint', () => {
  const DISCOVERY = 'DescribeEndpoints ingest.timestream.us-east-1.amazonaws.com';
  let discovery: Discovery;
  let server: ScriptedServer;
  let send: ReturnType<typeof writeRecordsSender>;
  beforeAll(async () => {
    server = await ScriptedServer.start((request) => discovery.write(request));
    const { hostname: host, port } = new URL(server.url);
    jest
      .spyOn(tls, 'connect')
      .mockImplementation(((options: net.TcpNetConnectOpts, ready: () => void) =>
        net.connect({ ...options, host, port: Number(port) }, ready)) as typeof tls.connect);
  });
  beforeEach(() => {
    discovery = new Discovery();
    send = writeRecordsSender(discovery.client, loadConnectorConfig({}));
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await server.stop();
  });

  test('writes go to the endpoint that Timestream assigns; it is requested once', async () => {
    expect(await Promise.all([send(BODY, NEVER), send(BODY, NEVER)])).toMatchObject([{ status: 200 }, { status: 200 }]);
    await send(BODY, NEVER);
    expect(discovery.asked).toEqual([DISCOVERY, ...Array.from({ length: 3 }, () => 'WriteRecords cell1.example')]);
  });

  test('421 requests another endpoint and sends the call there', async () => {
    await send(BODY, NEVER);
    discovery.invalid.add('cell1.example');
    expect(await send(BODY, NEVER)).toMatchObject({ status: 200 });
    expect(discovery.asked.slice(2)).toEqual(['WriteRecords cell1.example', DISCOVERY, 'WriteRecords cell2.example']);
  });

  test('an endpoint that stays invalid gives an error, not a loop', async () => {
    for (const address of discovery.addresses) discovery.invalid.add(address);
    expect(await send(BODY, NEVER)).toMatchObject({ status: 421 });
    expect(discovery.asked.filter((each) => each === DISCOVERY)).toHaveLength(2);
  });

  test('a failed discovery fails the call; the next call tries again', async () => {
    discovery.describe = 'fail';
    await expect(send(BODY, NEVER)).rejects.toMatchObject({ name: 'InternalServerException' });
    discovery.describe = 'respond';
    expect(await send(BODY, NEVER)).toMatchObject({ status: 200 });
  });

  test('the deadline ends a discovery that hangs', async () => {
    discovery.describe = 'hang';
    const deadline = new AbortController();
    const call = send(BODY, deadline.signal);
    deadline.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });
});
