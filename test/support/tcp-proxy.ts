/** A TCP proxy in front of a server, which treats each HTTP request according to a plan. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Treatment =
  | 'pass'
  /** The connection is closed before the server receives the request. */
  | 'drop before'
  /** The server processes the request, then the connection is closed without a response. */
  | 'drop after'
  /** The request does not reach the server, and no response comes; the connection stays open. */
  | 'hang'
  /** The response comes byte by byte. */
  | 'trickle';

export class TcpProxy {
  /** Called at the start of each request, with its number from 0; the treatment applies to the connection until the next request. */
  plan: (request: number) => Treatment = () => 'pass';
  requests = 0;
  connections = 0;
  private readonly server: Server;
  private readonly open = new Set<Socket>();
  private generation = 0;

  private constructor(private readonly target: number) {
    this.server = createServer((client) => this.join(client));
  }

  /** @param target the server's port on this machine */
  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Makes existing connections half-open: they stay open but pass no data any more. New ones work. */
  freeze(): void {
    this.generation += 1;
  }

  async stop(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket): void {
    this.connections += 1;
    const server = connect(this.target, '127.0.0.1');
    const generation = this.generation;
    let treatment: Treatment = 'pass';
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.open.delete(socket);
        if (generation === this.generation) other.destroy();
      });
    }
    client.on('data', (bytes) => {
      if (generation !== this.generation) return;
      if (/^(?:GET|HEAD|POST|PUT) \//.test(bytes.toString('latin1', 0, 8))) treatment = this.plan(this.requests++);
      if (treatment === 'drop before') client.destroy();
      else if (treatment !== 'hang') server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (generation !== this.generation) return;
      if (treatment === 'drop after') client.destroy();
      else if (treatment === 'trickle') void trickle(client, bytes);
      else client.write(bytes);
    });
  }
}

/** Sends each byte in a separate packet. */
async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  socket.setNoDelay(true);
  for (const byte of bytes) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(Buffer.of(byte), () => setImmediate(resolve)));
  }
}
