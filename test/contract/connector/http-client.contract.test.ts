/** The HTTP client of write calls, against servers that send bytes as scripted. */
import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { HttpResponseError } from 'shared/errors';
import { HttpClient } from '../../../functions/write-line-protocol/http-client';
import { type Authority, makeAuthority } from '../../support/certificates';

const { signal: NEVER } = new AbortController();
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
/** Long enough that no test reaches it by accident. */
const SILENCE_MS = 10_000;

interface Received {
  /** The request line and the headers. */
  readonly head: string;
  readonly body: string;
  /** Number of its connection, from 0. */
  readonly connection: number;
  readonly socket: Socket;
}

/** Parses requests with a content-length, and lets the test write any bytes. */
class RawServer {
  readonly requests: Received[] = [];
  readonly sockets: Socket[] = [];

  private constructor(
    private readonly server: Server,
    public onRequest: (request: Received, index: number) => void,
  ) {}

  static async start(onRequest: (request: Received, index: number) => void, host = '127.0.0.1'): Promise<RawServer> {
    const raw: RawServer = new RawServer(
      createServer((socket) => raw.serve(socket)),
      onRequest,
    );
    raw.server.listen(0, host);
    await once(raw.server, 'listening');
    return raw;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}`);
  }

  serve(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1;
    let received = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      for (;;) {
        const end = received.indexOf('\r\n\r\n') + 4;
        const length = Number(/content-length: (\d+)/.exec(received)?.[1]);
        if (end < 4 || received.length < end + length) return;
        const request = { head: received.slice(0, end), body: received.slice(end, end + length), connection, socket };
        received = received.slice(end + length);
        this.onRequest(request, this.requests.push(request) - 1);
      }
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

type Found = (error: Error | null, addresses: readonly dns.LookupAddress[]) => void;

/** Starts a further server, which the test stops, and returns its port. */
async function listening(other: Server): Promise<number> {
  others.push(other);
  other.on('connection', (socket: Socket) => otherSockets.push(socket));
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  return (other.address() as AddressInfo).port;
}

let server: RawServer;
let others: Server[];
let otherSockets: Socket[];
beforeEach(() => {
  others = [];
  otherSockets = [];
});
afterEach(async () => {
  await server.stop();
  for (const other of others) other.close();
  for (const socket of otherSockets) socket.destroy();
});

const clientOf = (silenceMs = SILENCE_MS) => new HttpClient({ silenceMs });
const post = (client: HttpClient, body = 'x', signal = NEVER) =>
  client.post(server.url, { host: 'server.test' }, Buffer.from(body), signal);
/** Ends when the event loop has polled a few times, so that what the server did has reached the client. */
async function polled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('sends the headers, the length and the body as they are', async () => {
  server = await RawServer.start(({ socket }) => socket.write(OK));
  const body = Buffer.from([0, 13, 10, 255, ...Buffer.from('é')]);
  await clientOf().post(server.url, { host: 'a.test:1', 'x-b': 'c d' }, body, NEVER);
  expect(server.requests[0]).toMatchObject({
    head: 'POST / HTTP/1.1\r\nhost: a.test:1\r\nx-b: c d\r\ncontent-length: 6\r\nconnection: keep-alive\r\n\r\n',
    body: body.toString('latin1'),
  });
});

test.each([['\r'], ['\n'], ['\0'], ['\u0100'], ['\x7f']])(
  'refuses a header with %j, without its value in the message',
  async (character) => {
    server = await RawServer.start(() => undefined);
    const sent = clientOf().post(server.url, { host: 'a', 'x-token': `secret${character}` }, Buffer.from('x'), NEVER);
    await expect(sent).rejects.toThrow(/^invalid character in the header x-token$/);
    expect(server.sockets).toEqual([]);
  },
);

test('sends a body of many megabytes, and empty ones', async () => {
  server = await RawServer.start(({ socket }) => socket.write(OK));
  const client = clientOf();
  const large = 'ab'.repeat(4_000_000);
  for (const body of [large, '', 'x', '']) expect(await post(client, body)).toMatchObject({ status: 200 });
  expect(server.requests.map(({ body }) => body.length)).toEqual([large.length, 0, 1, 0]);
  expect(server.requests[0]?.body).toBe(large);
  expect(server.sockets).toHaveLength(1);
});

test.each<[string, string, number, string]>([
  ['100 before the final response', `HTTP/1.1 100 Continue\r\n\r\n${OK}`, 200, 'ok'],
  [
    'several interim responses',
    `HTTP/1.1 103 \r\nlink: a\r\ncontent-length: 9\r\n\r\nHTTP/1.1 100 C\r\n\r\n${OK}`,
    200,
    'ok',
  ],
  [
    'chunks with trailers',
    'HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\nx: y\r\n\r\n',
    400,
    'abc',
  ],
  ['no body with 204', 'HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
  ['no body with 304, whatever its length', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n', 304, ''],
  ['no reason', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', 200, ''],
])('reads %s, and uses the connection again', async (_, bytes, status, body) => {
  server = await RawServer.start(({ socket }) => socket.write(bytes));
  const client = clientOf();
  for (const _repeated of [1, 2]) {
    const response = await post(client);
    expect([response.status, response.body.toString()]).toEqual([status, body]);
  }
  expect(server.sockets).toHaveLength(1);
});

test.each<[string, string, boolean, string]>([
  ['connection: close', 'HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 2\r\n\r\nok', false, 'ok'],
  ['HTTP 1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', false, 'ok'],
  ['a body until the end of the connection', 'HTTP/1.1 200 OK\r\n\r\nuntil the end', true, 'until the end'],
  ['bytes after the response', `${OK}HTTP/1.1 500 Other\r\n`, false, 'ok'],
])('reads a response with %s, and uses another connection then', async (_, bytes, mustEnd, body) => {
  server = await RawServer.start(({ socket }) => (mustEnd ? socket.end(bytes) : socket.write(bytes)));
  const client = clientOf();
  for (const _repeated of [1, 2]) expect((await post(client)).body.toString()).toBe(body);
  expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1]);
});

test.each<[string, string]>([
  ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
  ['lines without carriage return', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
  ['a folded header', 'HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n'],
  ['a NUL in a header', 'HTTP/1.1 200 OK\r\nx: \0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok'],
  ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok'],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['another transfer-encoding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['a chunk size that is no number', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n'],
  ['a chunk that is longer than its size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n'],
  ['a trailer that is no header', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx\r\n\r\n'],
  ['an endless head', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}`],
  ['endless interim responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000)],
  ['endless trailers', `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${'x: y\r\n'.repeat(4_000)}`],
  ['a body above the limit', `HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n${'x'.repeat(1_100_000)}`],
  ['a body without length above the limit', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_100_000)}`],
])('reports a response with %s as a typed error, and closes the connection', async (_, bytes) => {
  server = await RawServer.start(({ socket }, index) => socket.write(index === 0 ? bytes : OK));
  const client = clientOf();
  const error: unknown = await post(client).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HttpResponseError);
  expect(await post(client)).toMatchObject({ status: 200 });
  expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1]);
});

test.each<[string, string]>([
  ['before the response', ''],
  ['in the status line', 'HTTP/1.1 2'],
  ['in the head', 'HTTP/1.1 200 OK\r\ncontent-'],
  ['after an interim response', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['in the body', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc'],
  ['in a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc'],
  ['before the last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n'],
])('a new connection that ends %s fails the call, which is not repeated', async (_, bytes) => {
  server = await RawServer.start(({ socket }) => socket.end(bytes));
  await expect(post(clientOf())).rejects.toMatchObject({ message: 'socket hang up', code: 'ECONNRESET' });
  expect(server.requests).toHaveLength(1);
});

describe('an idle connection', () => {
  /** A client with `count` idle connections. */
  async function withIdle(count: number): Promise<HttpClient> {
    const client = clientOf();
    await Promise.all(Array.from({ length: count }, () => post(client, 'first')));
    expect(server.sockets).toHaveLength(count);
    return client;
  }

  test('that the server closed is replaced before it is used', async () => {
    server = await RawServer.start(({ socket }) => socket.write(OK));
    const client = await withIdle(3);
    for (const socket of server.sockets) socket.end();
    await polled();
    expect(await post(client)).toMatchObject({ status: 200 });
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1, 2, 3]);
  });

  test.each<[string, (socket: Socket) => void]>([
    ['closes', (socket) => socket.end()],
    ['resets', (socket) => socket.resetAndDestroy()],
  ])('that the server %s without a response is replaced, and the call is sent once more', async (_, close) => {
    server = await RawServer.start(({ socket, body, connection }) => {
      if (body === 'second' && connection < 3) close(socket);
      else socket.write(OK);
    });
    const client = await withIdle(3);
    expect(await post(client, 'second')).toMatchObject({ status: 200 });
    expect(server.requests.map(({ body }) => body)).toEqual(['first', 'first', 'first', 'second', 'second']);
    // The other idle connections are not tried.
    expect(server.requests[4]?.connection).toBe(3);
  });

  test('of a server that closes every connection fails the call after one repetition', async () => {
    server = await RawServer.start(({ socket, body }) => {
      if (body === 'second') socket.end();
      else socket.write(OK);
    });
    const client = await withIdle(3);
    await expect(post(client, 'second')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.requests).toHaveLength(5);
  });

  test('that ends after the first byte of a response fails the call, which is not repeated', async () => {
    server = await RawServer.start(({ socket, body }) => {
      if (body === 'second') socket.end('H');
      else socket.write(OK);
    });
    const client = await withIdle(1);
    await expect(post(client, 'second')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(server.requests).toHaveLength(2);
  });

  test('that receives a response to no request is closed: it is not the response to the next call', async () => {
    server = await RawServer.start(({ socket }) => socket.write(OK));
    const client = await withIdle(1);
    server.sockets[0]?.write('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n');
    await polled();
    expect(await post(client)).toMatchObject({ status: 200 });
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1]);
  });

  test('is checked after a pause, also if the event loop has not polled since', async () => {
    server = await RawServer.start(({ socket }) => socket.write(OK));
    const client = await withIdle(3);
    for (const socket of server.sockets) socket.write('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n');
    // The bytes are in the client's socket buffers, but this process has not polled: as after a container was frozen.
    const paused = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    const responses = await Promise.all([post(client), post(client), post(client), post(client)]);
    paused.mockRestore();
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(server.requests.slice(3).every(({ connection }) => connection >= 3)).toBe(true);
  });

  test('is not closed by the time limit of calls, and is used again', async () => {
    server = await RawServer.start(({ socket }) => socket.write(OK));
    const client = clientOf(20);
    await post(client);
    await new Promise((resolve) => setTimeout(resolve, 60));
    await post(client);
    expect(server.sockets).toHaveLength(1);
  });

  test('does not keep the process alive', async () => {
    server = await RawServer.start(({ socket }) => socket.write(OK));
    const held: Socket[] = [];
    const client = await withIdle(2);
    server.onRequest = ({ socket }) => held.push(socket);
    await polled();
    const active = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const idle = active();
    const calls = [post(client), post(client)];
    await polled();
    expect(active()).toBe(idle + 2);
    for (const socket of held) socket.write(OK);
    await Promise.all(calls);
    expect(active()).toBe(idle);
  });
});

describe('the time limit', () => {
  test('ends a call without a response', async () => {
    server = await RawServer.start(() => undefined);
    await expect(post(clientOf(30))).rejects.toThrow('no response within 30 ms');
    expect(server.requests).toHaveLength(1);
  });

  test('ends a call on a used connection, which is not repeated', async () => {
    server = await RawServer.start(({ socket }, index) => index === 0 && socket.write(OK));
    const client = clientOf(30);
    await post(client);
    await expect(post(client)).rejects.toThrow('no response within 30 ms');
    expect(server.requests).toHaveLength(2);
  });

  test('ends a call in the middle of a response', async () => {
    server = await RawServer.start(({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'));
    await expect(post(clientOf(30))).rejects.toThrow('no response within 30 ms');
  });

  test('does not end a call whose response comes slowly', async () => {
    server = await RawServer.start(({ socket }) => {
      for (const [index, byte] of [...OK].entries()) setTimeout(() => socket.write(byte), index * 20);
    });
    expect(await post(clientOf(500))).toMatchObject({ status: 200 });
  });
});

describe('a signal', () => {
  test.each<[string, string]>([
    ['before the response', ''],
    ['within the response', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'],
  ])('aborts a call %s, and closes its connection', async (_, bytes) => {
    const deadline = new AbortController();
    let closed: Promise<unknown> | undefined;
    server = await RawServer.start(({ socket }) => {
      closed = new Promise((resolve) => socket.on('close', resolve));
      socket.write(bytes);
      setImmediate(() => deadline.abort());
    });
    await expect(post(clientOf(), 'x', deadline.signal)).rejects.toThrow('the deadline of the request has passed');
    await closed;
  });

  test('that is aborted sends nothing', async () => {
    server = await RawServer.start(({ socket }) => socket.write(OK));
    await expect(post(clientOf(), 'x', AbortSignal.abort())).rejects.toThrow('the deadline of the request has passed');
    expect(server.sockets).toEqual([]);
  });

  test('aborts a call that waits for a connection', async () => {
    server = await RawServer.start(() => undefined);
    const deadline = new AbortController();
    const sent = post(clientOf(), 'x', deadline.signal);
    deadline.abort();
    await expect(sent).rejects.toThrow('the deadline of the request has passed');
    await polled();
    expect(server.requests).toEqual([]);
  });

  test('leaves an idle connection and the calls of other signals alone', async () => {
    const waiting: Socket[] = [];
    server = await RawServer.start(({ socket, body }) => (body === 'wait' ? waiting.push(socket) : socket.write(OK)));
    const client = clientOf();
    const first = new AbortController();
    await post(client, 'x', first.signal);
    const second = post(client, 'wait');
    await polled();
    first.abort();
    for (const socket of waiting) socket.write(OK);
    expect(await second).toMatchObject({ status: 200 });
    expect(await post(client)).toMatchObject({ status: 200 });
    expect(server.sockets).toHaveLength(1);
  });

  test('has no listeners left when the connections have closed', async () => {
    server = await RawServer.start(({ socket }) => socket.end(OK));
    const client = clientOf();
    const deadline = new AbortController();
    const added = jest.spyOn(deadline.signal, 'addEventListener');
    const removed = jest.spyOn(deadline.signal, 'removeEventListener');
    for (let call = 0; call < 3; call++) {
      await post(client, 'x', deadline.signal);
      await polled();
    }
    const removedListeners = removed.mock.calls.map(([, listener]) => listener);
    expect(added).toHaveBeenCalledTimes(3);
    for (const [, listener] of added.mock.calls) expect(removedListeners).toContain(listener);
  });
});

test.each(['http:', 'https:'])(
  'over %s a call that is aborted while its body is being sent does not read the body any more',
  async (protocol) => {
    const authority = await makeAuthority();
    const body = Buffer.alloc(50_000_000, 'a');
    let received = 0;
    let hasChanged = false;
    let connected: (socket: Socket) => void = () => undefined;
    const connection = new Promise<Socket>((resolve) => {
      connected = resolve;
    });
    const onSocket = (socket: Socket): void => {
      socket.on('error', () => undefined);
      // The first bytes have come, and the next ones fill the buffers of both sides.
      socket.once('data', () => connected(socket.pause()));
    };
    const reading =
      protocol === 'https:' ? createTlsServer(await authority.sign('localhost'), onSocket) : createServer(onSocket);
    const url = new URL(`${protocol}//localhost:${await listening(reading)}`);
    server = await RawServer.start(() => undefined);
    const deadline = new AbortController();
    const client = new HttpClient({ silenceMs: SILENCE_MS, ca: authority.cert });
    const sent = client.post(url, { host: 'a' }, body, deadline.signal);
    const socket = await connection;
    await polled();
    deadline.abort();
    await expect(sent).rejects.toThrow('the deadline of the request has passed');
    body.fill('b');
    const closed = once(socket, 'close');
    socket.on('data', (bytes) => {
      received += bytes.length;
      hasChanged ||= bytes.includes('b');
    });
    socket.resume();
    await closed;
    expect([hasChanged, received < body.length]).toEqual([false, true]);
  },
);

test('a response that comes before the end of the request closes the connection: its body is not read any more', async () => {
  const body = Buffer.alloc(50_000_000, 'a');
  let received = 0;
  let hasChanged = false;
  let ended: () => void = () => undefined;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const early = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('close', ended);
    socket.once('data', () => {
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n');
      socket.on('data', (bytes) => {
        received += bytes.length;
        hasChanged ||= bytes.includes('b');
        if (received > body.length - 1_000_000) ended();
      });
    });
  });
  const url = new URL(`http://127.0.0.1:${await listening(early)}`);
  server = await RawServer.start(() => undefined);
  expect(await clientOf().post(url, { host: 'a' }, body, NEVER)).toMatchObject({ status: 413 });
  body.fill('b');
  await end;
  expect([hasChanged, received < body.length]).toEqual([false, true]);
});

test('fails a call to a port that nobody listens on', async () => {
  server = await RawServer.start(() => undefined);
  const unused = createServer();
  const port = await listening(unused);
  unused.close();
  await once(unused, 'close');
  const sent = clientOf().post(new URL(`http://127.0.0.1:${port}`), { host: 'a' }, Buffer.from('x'), NEVER);
  await expect(sent).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('calls a host that is an IPv6 address', async () => {
  server = await RawServer.start(({ socket }) => socket.write(OK), '::1');
  const url = new URL(`http://[::1]:${server.port}`);
  expect(await clientOf().post(url, { host: url.host }, Buffer.from('x'), NEVER)).toMatchObject({ status: 200 });
  expect(server.requests[0]?.head).toContain(`host: [::1]:${server.port}\r\n`);
});

test('many calls at a time each get their own response', async () => {
  server = await RawServer.start(({ socket, body }, index) => {
    setTimeout(() => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`), index % 7);
  });
  const client = clientOf();
  const bodies = Array.from({ length: 300 }, (_, index) => `call ${index}`);
  const responses = await Promise.all(bodies.map((body) => post(client, body)));
  expect(responses.map(({ body }) => body.toString())).toEqual(bodies);
  expect(server.requests.map(({ body }) => body).sort()).toEqual([...bodies].sort());
});

describe('over TLS', () => {
  let authority: Authority;
  let secure: ReturnType<typeof createTlsServer>;
  let secureSockets: TLSSocket[];
  /** Server name, protocol, and whether the session was reused. */
  let connected: unknown[];
  beforeAll(async () => {
    authority = await makeAuthority();
  });
  beforeEach(async () => {
    server = await RawServer.start(({ socket }) => socket.write(OK));
    secureSockets = [];
    connected = [];
    secure = createTlsServer(
      { ...(await authority.sign('localhost')), ALPNProtocols: ['http/1.1', 'h2'] },
      (socket) => {
        secureSockets.push(socket);
        connected.push([socket.servername, socket.alpnProtocol, socket.isSessionReused()]);
        server.serve(socket);
      },
    );
    await listening(secure);
  });
  const urlOf = (host = 'localhost') => new URL(`https://${host}:${(secure.address() as AddressInfo).port}`);
  const securePost = (client: HttpClient, url = urlOf(), body = 'x') =>
    client.post(url, { host: 'a' }, Buffer.from(body), NEVER);

  test('sends the server name, agrees on HTTP 1.1, and reuses connections and sessions', async () => {
    const client = new HttpClient({ silenceMs: SILENCE_MS, ca: authority.cert });
    await securePost(client, urlOf(), 'a'.repeat(100_000));
    await securePost(client);
    expect(connected).toEqual([['localhost', 'http/1.1', false]]);
    await polled();
    secureSockets[0]?.end();
    await polled();
    await securePost(client);
    expect(connected.slice(1)).toEqual([['localhost', 'http/1.1', true]]);
    expect(server.requests.map(({ body }) => body.length)).toEqual([100_000, 1, 1]);
  });

  test('uses the next address of the host if nobody listens at the first one', async () => {
    const addresses = [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    const lookup = jest
      .spyOn(dns, 'lookup')
      .mockImplementation(((_: string, _options: object, found: Found) =>
        setImmediate(found, null, addresses)) as unknown as typeof dns.lookup);
    const client = new HttpClient({ silenceMs: SILENCE_MS, ca: authority.cert });
    for (const body of ['a'.repeat(100_000), 'x'])
      expect(await securePost(client, urlOf(), body)).toMatchObject({ status: 200 });
    await polled();
    secureSockets[0]?.end();
    await polled();
    expect(await securePost(client)).toMatchObject({ status: 200 });
    expect(lookup).toHaveBeenCalledTimes(2);
    lookup.mockRestore();
    // Node.js makes a new socket for the next address, which does not get the session.
    expect(connected).toEqual(Array.from({ length: 2 }, () => ['localhost', 'http/1.1', false]));
    expect(server.requests.map(({ body }) => body.length)).toEqual([100_000, 1, 1]);
  });

  test('refuses a certificate that does not name the IP address, and sends nothing', async () => {
    const client = new HttpClient({ silenceMs: SILENCE_MS, ca: authority.cert });
    await expect(securePost(client, urlOf('127.0.0.1'))).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(server.requests).toEqual([]);
  });

  test('refuses TLS 1.1', async () => {
    const old = createTlsServer({
      ...(await authority.sign('localhost')),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    old.on('tlsClientError', () => undefined);
    const client = new HttpClient({ silenceMs: SILENCE_MS, ca: authority.cert });
    const url = new URL(`https://localhost:${await listening(old)}`);
    await expect(securePost(client, url)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SSL_/) });
  });

  test('a server that does not speak TLS, or closes the connection within the handshake, fails the call', async () => {
    const client = clientOf();
    const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const closing = createServer((socket) => socket.destroy());
    for (const each of [plain, closing]) {
      const url = new URL(`https://localhost:${await listening(each)}`);
      await expect(securePost(client, url)).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
    }
  });

  test('a handshake that hangs is aborted after the time limit', async () => {
    const silent = createServer((socket) => socket.resume());
    const url = new URL(`https://localhost:${await listening(silent)}`);
    const sent = new HttpClient({ silenceMs: 50 }).post(url, { host: 'a' }, Buffer.from('x'), NEVER);
    await expect(sent).rejects.toThrow('no response within 50 ms');
  });
});

test('a connection that is half open, as after a long pause, is replaced when the server rejects its bytes', async () => {
  server = await RawServer.start(({ socket }) => socket.write(OK));
  // A relay that, when paused, drops its connection to the client and the client learns of it when it sends again.
  let isPaused = false;
  const relay = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    const mayPass = !isPaused;
    client.on('error', () => undefined);
    client.on('data', (bytes) => (mayPass && isPaused ? client.resetAndDestroy() : upstream.write(bytes)));
    upstream.on('data', (bytes) => client.write(bytes));
    client.on('close', () => upstream.destroy());
  });
  const url = new URL(`http://127.0.0.1:${await listening(relay)}`);
  const client = clientOf();
  const send = (body: string) => client.post(url, { host: 'a' }, Buffer.from(body), NEVER);
  await Promise.all(['1', '2', '3'].map(send));
  isPaused = true;
  expect((await Promise.all(['4', '5', '6'].map(send))).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(server.requests.map(({ body }) => body).sort()).toEqual(['1', '2', '3', '4', '5', '6']);
});
