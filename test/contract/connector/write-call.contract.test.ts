/** The connections and corrections of write calls, against a server with scripted responses. */
import { callSender, type SenderOptions } from '../../../functions/write-line-protocol/write-call';
import { type Authority, makeAuthority, type ServerCertificate } from '../../support/certificates';
import { type Answer, ScriptedServer } from '../../support/scripted-server';

const CREDENTIALS = { accessKeyId: 'key', secretAccessKey: 'secret' };
const STORED: Answer = { status: 200, body: '{}' };
const { signal } = new AbortController();

let server: ScriptedServer;
afterEach(() => server.stop());

const targetOf = ({ url }: ScriptedServer) => ({
  resolve: () => Promise.resolve({ url: new URL(url), invalidate: () => undefined }),
});

const senderTo = (to: ScriptedServer, options: SenderOptions = {}) =>
  callSender(targetOf(to), 'us-east-1', () => Promise.resolve(CREDENTIALS), { systemClockOffset: 0 }, options);

const failure = (type: string, headers: Record<string, string> = {}): Answer => ({
  status: 400,
  headers,
  body: JSON.stringify({ __type: `com.amazon.coral.service#${type}`, message: 'why' }),
});

test('a call without a response is aborted; an idle connection is still used', async () => {
  server = await ScriptedServer.start((_, index) => (index === 2 ? 'hang' : STORED));
  const send = senderTo(server, { silenceMs: 200 });
  await Promise.all([send(Buffer.from('1'), signal), send(Buffer.from('2'), signal)]);
  await expect(send(Buffer.from('3'), signal)).rejects.toThrow('no response within 200 ms');
  expect(await send(Buffer.from('4'), signal)).toMatchObject({ status: 200 });
  expect(server.requests.map(({ body }) => body).sort()).toEqual(['1', '2', '3', '4']);
  expect(server.connections).toBe(2);
});

describe('over TLS', () => {
  let authority: Authority;
  let certificate: ServerCertificate;
  beforeAll(async () => {
    authority = await makeAuthority();
    certificate = await authority.sign('localhost');
  });

  test('calls share a keep-alive connection', async () => {
    server = await ScriptedServer.start(() => STORED, certificate);
    const send = senderTo(server, { ca: authority.cert });
    for (const body of ['1', '2', '3']) {
      expect(await send(Buffer.from(body), signal)).toMatchObject({ status: 200 });
    }
    expect(server.requests.map(({ body }) => body)).toEqual(['1', '2', '3']);
    expect(server.requests[0]?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=key\//);
    expect(server.connections).toBe(1);
  });

  test('a connection that the server has closed is replaced, at once or when the call is retried', async () => {
    server = await ScriptedServer.start(() => STORED, certificate);
    const send = senderTo(server, { ca: authority.cert });
    await send(Buffer.from('1'), signal);
    server.dropIdleConnections();
    const again = () => send(Buffer.from('2'), signal);
    expect(await again().catch(again)).toMatchObject({ status: 200 });
    expect(server.connections).toBe(2);
  });

  test.each([
    ['that nobody vouches for', 'localhost', false, /unable to verify|self.signed certificate/],
    ['of another host', 'other.test', true, /does not match certificate/],
  ])('refuses a certificate %s, and sends nothing', async (_, hostname, isTrusted, message) => {
    server = await ScriptedServer.start(() => STORED, await authority.sign(hostname));
    const send = senderTo(server, isTrusted ? { ca: authority.cert } : {});
    await expect(send(Buffer.from('1'), signal)).rejects.toThrow(message);
    expect(server.requests).toEqual([]);
  });

  test('refuses an expired certificate', async () => {
    const expired = await authority.sign('localhost', new Date(Date.now() - 3 * 86_400_000));
    server = await ScriptedServer.start(() => STORED, expired);
    await expect(senderTo(server, { ca: authority.cert })(Buffer.from('1'), signal)).rejects.toThrow(/expired/);
  });
});

describe('a wrong clock', () => {
  /** The service's clock is an hour ahead; signatures are valid for 5 minutes. */
  const AHEAD_MS = 3_600_000;
  const skewed =
    (type: string) =>
    ({ headers }: { headers: Record<string, unknown> }): Answer => {
      const signed = String(headers['x-amz-date']).replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5');
      const now = Date.now() + AHEAD_MS;
      const date = new Date(now).toUTCString();
      return Math.abs(now - Date.parse(signed)) < 300_000 ? STORED : failure(type, { date });
    };

  test.each(['InvalidSignatureException', 'SignatureDoesNotMatch', 'RequestExpired', 'RequestTimeTooSkewed'])(
    'is corrected by the date of %s, also for later calls',
    async (type) => {
      server = await ScriptedServer.start(skewed(type));
      const clock = { systemClockOffset: 0 };
      const send = callSender(targetOf(server), 'us-east-1', () => Promise.resolve(CREDENTIALS), clock);
      const both = await Promise.all([send(Buffer.from('1'), signal), send(Buffer.from('1'), signal)]);
      expect(both.map(({ status }) => status)).toEqual([200, 200]);
      expect(await send(Buffer.from('2'), signal)).toMatchObject({ status: 200 });
      expect(server.requests.map(({ body }) => body)).toEqual(['1', '1', '1', '1', '2']);
      expect(Math.abs(clock.systemClockOffset - AHEAD_MS)).toBeLessThan(60_000);
    },
  );

  test.each<[string, Record<string, string>]>([
    ['the time is right', { date: new Date().toUTCString() }],
    ['the response has no valid date', { date: 'yesterday' }],
  ])('is not corrected if %s: the error is returned', async (_, headers) => {
    server = await ScriptedServer.start(() => failure('InvalidSignatureException', headers));
    expect(await senderTo(server)(Buffer.from('1'), signal)).toMatchObject({ status: 400 });
    expect(server.requests).toHaveLength(1);
  });

  test('is corrected once per call, so that a service that refuses every time causes no loop', async () => {
    const date = new Date(Date.now() + AHEAD_MS).toUTCString();
    server = await ScriptedServer.start(() => failure('RequestExpired', { date }));
    expect(await senderTo(server)(Buffer.from('1'), signal)).toMatchObject({ status: 400 });
    expect(server.requests).toHaveLength(2);
  });
});

test.each(['ExpiredTokenException', 'ExpiredToken'])(
  '%s makes the provider refresh the credentials, once per call',
  async (type) => {
    let key = 'old';
    const provider = (options?: { forceRefresh?: boolean }) => {
      if (options?.forceRefresh === true) key = 'new';
      return Promise.resolve({ ...CREDENTIALS, accessKeyId: key });
    };
    server = await ScriptedServer.start(({ headers }) =>
      String(headers.authorization).includes('Credential=new/') ? STORED : failure(type),
    );
    const send = callSender(targetOf(server), 'us-east-1', provider);
    expect(await send(Buffer.from('1'), signal)).toMatchObject({ status: 200 });
    expect(server.requests).toHaveLength(2);
    key = 'never';
    const stubborn = callSender(targetOf(server), 'us-east-1', () => Promise.resolve(CREDENTIALS));
    expect(await stubborn(Buffer.from('2'), signal)).toMatchObject({ status: 400 });
    expect(server.requests).toHaveLength(4);
  },
);

test('a call is repeated with new credentials, also if another call used the old ones while they were requested', async () => {
  const clock = jest.spyOn(Date, 'now').mockReturnValue(1_800_000_000_000);
  let key = 'old';
  let refreshed: () => void = () => undefined;
  let isRefreshing: () => void = () => undefined;
  const refreshing = new Promise<void>((resolve) => {
    isRefreshing = resolve;
  });
  const provider = async (options?: { forceRefresh?: boolean }) => {
    if (options?.forceRefresh === true) {
      await new Promise<void>((resolve) => {
        refreshed = resolve;
        isRefreshing();
      });
      key = 'new';
    }
    return { ...CREDENTIALS, accessKeyId: key };
  };
  server = await ScriptedServer.start(({ headers, body }) =>
    body === 'other' || String(headers.authorization).includes('Credential=new/')
      ? STORED
      : failure('ExpiredTokenException'),
  );
  const send = callSender(targetOf(server), 'us-east-1', provider);
  const call = send(Buffer.from('1'), signal);
  await refreshing;
  await send(Buffer.from('other'), signal);
  refreshed();
  expect(await call).toMatchObject({ status: 200 });
  expect(server.requests.map(({ body }) => body)).toEqual(['1', 'other', '1']);
  clock.mockRestore();
});

test('endpoint and credentials are requested again after a second', async () => {
  server = await ScriptedServer.start(() => STORED);
  let now = 1_800_000_000_000;
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now);
  let asked = 0;
  let key = 'first';
  const resolve = () => {
    asked++;
    return Promise.resolve({ url: new URL(server.url), invalidate: () => undefined });
  };
  const send = callSender({ resolve }, 'us-east-1', () => Promise.resolve({ ...CREDENTIALS, accessKeyId: key }));
  await send(Buffer.from('1'), signal);
  key = 'second';
  now += 999;
  await send(Buffer.from('2'), signal);
  now += 1;
  await send(Buffer.from('3'), signal);
  // A clock that was set back.
  key = 'third';
  now -= 3_600_000;
  await send(Buffer.from('4'), signal);
  clock.mockRestore();
  const keys = server.requests.map(({ headers }) => /Credential=(\w+)/.exec(headers.authorization ?? '')?.[1]);
  expect(keys).toEqual(['first', 'first', 'second', 'third']);
  expect(asked).toBe(3);
  expect(server.requests.map(({ headers }) => headers['x-amz-date'])).toEqual([
    '20270115T080000Z',
    '20270115T080000Z',
    '20270115T080001Z',
    '20270115T070001Z',
  ]);
});

test('an endpoint that the service calls invalid is requested again, also if its address has a port', async () => {
  server = await ScriptedServer.start((_, index) => (index === 0 ? { status: 421, body: '{}' } : STORED));
  const invalidated: string[] = [];
  let asked = 0;
  const resolve = () => {
    const address = `endpoint-${++asked}:443`;
    return Promise.resolve({ url: new URL(server.url), invalidate: () => invalidated.push(address) });
  };
  const send = callSender({ resolve }, 'us-east-1', () => Promise.resolve(CREDENTIALS));
  expect(await send(Buffer.from('1'), signal)).toMatchObject({ status: 200 });
  expect(invalidated).toEqual(['endpoint-1:443']);
  expect(asked).toBe(2);
});
