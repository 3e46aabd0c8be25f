/** Calls that bypass the SDK's middleware: signed like the SDK's, and sent to the endpoint of Timestream's discovery. */
import { createHash, createHmac } from 'node:crypto';
import net from 'node:net';
import { Readable } from 'node:stream';
import tls from 'node:tls';
import { DescribeEndpointsCommand, TimestreamWriteClient, WriteRecordsCommand } from '@aws-sdk/client-timestream-write';
import { loadConnectorConfig } from 'shared/config';
import {
  type Connection,
  environmentConnection,
  writeRecordsSender,
} from '../../../functions/write-line-protocol/timestream-connection';
import {
  administrationWith,
  sdkConnection,
  timestreamClient,
} from '../../../functions/write-line-protocol/timestream-sdk';
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
    expect(await writeRecordsSender(sdkConnection(client), config)(BODY, NEVER)).toMatchObject({ status: 200 });
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
 * A Timestream without an `endpoint`: records the requests by operation and host, and responds to them. The requests of the SDK come from its
 * request handler; the connector's own, which would go to a TLS host, are sent to a local server instead.
 */
class Discovery {
  readonly asked: string[] = [];
  addresses = ['cell1.example', 'cell2.example'];
  /** Hosts that return 421 for a write. */
  readonly invalid = new Set<string>();
  describe: 'respond' | 'fail' | 'hang' | Reply = 'respond';
  private described = 0;

  readonly client = new TimestreamWriteClient({
    region: 'us-east-1',
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET },
    maxAttempts: 1,
    requestHandler: { handle: (request: { hostname: string }) => this.describeEndpoints(request) },
  });

  private async describeEndpoints({ hostname }: { hostname: string }) {
    const answer = this.discovery(hostname);
    if (answer === 'hang') return await new Promise<never>(() => undefined);
    const { status, body } = answer;
    return { response: { statusCode: status, headers: {}, body: Readable.from([Buffer.from(body)]) } };
  }

  /** The response of a host to a request of the connector itself. */
  answer({ headers }: ReceivedRequest): Reply | 'hang' {
    const host = String(headers.host);
    if (headers['x-amz-target'] === 'Timestream_20181101.DescribeEndpoints') return this.discovery(host);
    this.asked.push(`WriteRecords ${host}`);
    return { status: this.invalid.has(host) ? 421 : 200, body: '{}' };
  }

  private discovery(host: string): Reply | 'hang' {
    this.asked.push(`DescribeEndpoints ${host}`);
    if (this.describe === 'hang') return 'hang';
    if (this.describe === 'fail') return { status: 500, body: '{"__type":"InternalServerException"}' };
    if (this.describe !== 'respond') return this.describe;
    const Address = this.addresses[Math.min(this.described++, this.addresses.length - 1)];
    return { status: 200, body: JSON.stringify({ Endpoints: [{ Address, CachePeriodInMinutes: 1440 }] }) };
  }
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

/** As in Lambda: the environment has the credentials, and says that there are no others. */
function lambdaConnection(): Connection {
  const connection = environmentConnection(loadConnectorConfig({ AWS_LAMBDA_FUNCTION_NAME: 'connector' }));
  if (connection === undefined) throw new Error('the environment of this test has all that a connection needs');
  return connection;
}

describe.each(['the SDK', 'the connector'])('without an endpoint, which %s requests', (by) => {
  const environment = process.env;
  const DISCOVERY = 'DescribeEndpoints ingest.timestream.us-east-1.amazonaws.com';
  let discovery: Discovery;
  let server: ScriptedServer;
  let send: ReturnType<typeof writeRecordsSender>;
  beforeAll(async () => {
    process.env = { ...environment, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET };
    server = await ScriptedServer.start((request) => discovery.answer(request));
    const { hostname: host, port } = new URL(server.url);
    jest
      .spyOn(tls, 'connect')
      .mockImplementation(((options: net.TcpNetConnectOpts, ready: () => void) =>
        net.connect({ ...options, host, port: Number(port) }, ready)) as typeof tls.connect);
  });
  beforeEach(() => {
    discovery = new Discovery();
    const connection = by === 'the SDK' ? sdkConnection(discovery.client) : lambdaConnection();
    send = writeRecordsSender(connection, loadConnectorConfig({}));
  });
  afterAll(async () => {
    process.env = environment;
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

  test.each([
    [{ status: 400, body: '{"__type":"AccessDeniedException","Message":"not allowed"}' }],
    [{ status: 400, body: '{"__type":"com.amazonaws.timestream#UnrecognizedClientException","message":"no"}' }],
    [{ status: 400, body: '{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"too old"}' }],
    [{ status: 429, body: '{"__type":"ThrottlingException","message":"slow down"}' }],
    [{ status: 200, body: '{"Endpoints":[]}' }],
    [{ status: 200, body: '{}' }],
  ])('a discovery with the response %j fails a call with the error of the SDK', async (reply) => {
    discovery.describe = reply;
    const failure = await send(BODY, NEVER).catch((error: unknown) => error);
    const expected = await describedBySdk(discovery.client);
    expect(failure).toMatchObject({ name: expected.name, message: expected.message });
  });
});

/** The error of the SDK's own DescribeEndpoints, or that of a response without an endpoint. */
async function describedBySdk(client: TimestreamWriteClient): Promise<Error> {
  return await client.send(new DescribeEndpointsCommand({})).then(
    () => new Error('Timestream returned no endpoint'),
    (error: Error) => error,
  );
}

test.each([
  ['credentials', {}, { AWS_LAMBDA_FUNCTION_NAME: 'connector', region: 'us-east-1' }],
  ['a function', { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET }, {}],
  [
    'a region whose endpoint is known',
    { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET },
    { AWS_LAMBDA_FUNCTION_NAME: 'connector', region: 'us-gov-west-1' },
  ],
])('an environment without %s leaves the connection to the SDK', (_, environment, settings) => {
  const original = process.env;
  process.env = environment;
  try {
    expect(environmentConnection(loadConnectorConfig(settings))).toBeUndefined();
  } finally {
    process.env = original;
  }
});

test('the client that creates tables and the write calls share one clock', async () => {
  const HOUR_MS = 3_600_000;
  const serverTime = new Date(Date.now() + 2 * HOUR_MS).toUTCString();
  const server = await ScriptedServer.start(() => ({ status: 200, body: '{}', headers: { date: serverTime } }));
  const original = process.env;
  process.env = { ...original, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET };
  try {
    const clock = { systemClockOffset: HOUR_MS };
    const config = loadConnectorConfig({ AWS_ENDPOINT_URL_TIMESTREAM_WRITE: server.url });
    await administrationWith(config, clock).createTable({ DatabaseName: 'db', TableName: 'table' }, NEVER);
    const signedFor = String(server.requests[0]?.headers['x-amz-date']);
    const iso = signedFor.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
    expect(Math.round((Date.parse(iso) - Date.now()) / HOUR_MS)).toBe(1);
    expect(Math.round(clock.systemClockOffset / HOUR_MS)).toBe(2);
  } finally {
    process.env = original;
    await server.stop();
  }
});
