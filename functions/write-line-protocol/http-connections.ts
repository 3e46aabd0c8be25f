/** The keep-alive connections to one server: each carries one exchange at a time, and is used again while nothing is wrong with it. */
import { setMaxListeners } from 'node:events';
import type { OnReadOpts, Socket } from 'node:net';
import { HttpResponse } from './http-response';

/** Size of a connection's read buffer. A response of WriteRecords has a few hundred bytes, or up to 30 KB with rejected records. */
const READ_BYTES = 8 * 1024;
/** Maximum number of idle connections, as in the Agent of Node.js. */
const MAX_IDLE = 256;
/** TCP probes of silent connections start after this time, as in the Agent of Node.js. */
const PROBE_AFTER_MS = 1_000;
/** After this time without an exchange, idle connections are checked before one is used. */
const CHECK_AFTER_MS = 1_000;
/** Error codes of a connection that the server had closed. */
const CLOSED = new Set<unknown>(['ECONNRESET', 'EPIPE']);

/** Opens a connection. Calls `ready` when it can send. */
export type Opener = (onread: OnReadOpts, ready: () => void) => Socket;

/** A request, until it has a response or failed. */
export interface Exchange {
  /** Request line and headers, including the empty line. */
  readonly head: string;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (error: unknown) => void;
}

export class HttpConnections {
  /** A stack, so that few connections are used, and the others time out on the server. */
  private readonly idle: Connection[] = [];
  private lastUse = 0;
  /** Exchanges that wait for the check of idle connections; undefined if there is no check. */
  private waiting: Exchange[] | undefined;

  /** @param silenceMs an exchange is aborted after this time without data on its connection */
  constructor(
    private readonly open: Opener,
    private readonly silenceMs: number,
  ) {}

  start(exchange: Exchange): void {
    if (this.waiting !== undefined) this.waiting.push(exchange);
    else if (this.idle.length > 0 && Date.now() - this.lastUse > CHECK_AFTER_MS) this.check(exchange);
    else this.startNow(exchange);
  }

  /** Takes back a connection whose exchange has ended well. */
  release(connection: Connection): void {
    this.lastUse = Date.now();
    if (this.idle.length < MAX_IDLE) this.idle.push(connection);
    else connection.drop();
  }

  /** Forgets an idle connection that has closed. */
  remove(connection: Connection): void {
    const index = this.idle.lastIndexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
  }

  /** Sends an exchange again, over a new connection. One connection was found closed, so the idle ones probably are, too. */
  repeat(exchange: Exchange): void {
    for (const connection of this.idle.splice(0)) connection.drop();
    this.startNow(exchange);
  }

  /**
   * Lets Node.js read what came for idle connections, before one is used: the server may have closed them, or sent a response to no
   * request, which would count as the response to the next one. The second immediate runs after the event loop has polled.
   */
  private check(exchange: Exchange): void {
    const waiting = [exchange];
    this.waiting = waiting;
    setImmediate(() =>
      setImmediate(() => {
        this.waiting = undefined;
        for (const each of waiting) this.startNow(each);
      }),
    );
  }

  private startNow(exchange: Exchange): void {
    if (exchange.signal.aborted) exchange.reject(deadlinePassed());
    else (this.idle.pop() ?? new Connection(this, this.open, this.silenceMs)).start(exchange);
  }
}

class Connection {
  private readonly socket: Socket;
  private isReady = false;
  private isReused = false;
  /** The current exchange; undefined while the connection is idle. */
  private exchange: Exchange | undefined;
  private response = new HttpResponse();
  /** The signal of the last exchange, which `abort` listens to. */
  private signal: AbortSignal | undefined;

  constructor(
    private readonly connections: HttpConnections,
    open: Opener,
    silenceMs: number,
  ) {
    // Node.js reads into this buffer and calls back, without a stream in between.
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (bytes: number): boolean => {
      this.read(buffer.subarray(0, bytes));
      return true;
    };
    this.socket = open({ buffer, callback }, () => {
      this.isReady = true;
      this.send();
    });
    this.socket
      .setNoDelay(true)
      .setKeepAlive(true, PROBE_AFTER_MS)
      // Sending and receiving restart this timer, which is cheaper than a timer for each exchange.
      .setTimeout(silenceMs)
      .on('timeout', () => this.exchange && this.fail(new Error(`no response within ${silenceMs} ms`)))
      .on('error', (error) => this.fail(error))
      .on('end', () => this.end())
      .on('close', () => this.fail(connectionClosed()));
  }

  start(exchange: Exchange): void {
    this.exchange = exchange;
    // The calls of a write share a signal, so a connection rarely needs another listener.
    if (this.signal !== exchange.signal) {
      this.signal?.removeEventListener('abort', this.abort);
      // Node.js warns of more than ten listeners.
      setMaxListeners(0, exchange.signal);
      exchange.signal.addEventListener('abort', this.abort);
      this.signal = exchange.signal;
    }
    if (!this.isReady) return;
    this.response = new HttpResponse();
    this.socket.ref();
    this.send();
  }

  drop(): void {
    this.signal?.removeEventListener('abort', this.abort);
    this.signal = undefined;
    this.connections.remove(this);
    this.socket.destroy();
  }

  /** Sends head and body with one system call. */
  private send(): void {
    if (this.exchange === undefined) return;
    const { head, body } = this.exchange;
    this.socket.cork();
    this.socket.write(head, 'latin1');
    this.socket.write(body);
    this.socket.uncork();
  }

  private read(bytes: Buffer): void {
    try {
      // Nobody requested bytes that come while there is no exchange.
      if (this.exchange === undefined) this.drop();
      else if (this.response.read(bytes)) this.succeed(this.exchange);
    } catch (error) {
      this.fail(error);
    }
  }

  private end(): void {
    if (this.exchange !== undefined && this.response.end()) this.succeed(this.exchange);
    else this.fail(connectionClosed());
  }

  private succeed(exchange: Exchange): void {
    this.exchange = undefined;
    // The server may respond before it has read the whole request. The rest must not be sent: its buffer belongs to the caller again.
    const isSent = this.socket.writableLength === 0;
    if (this.response.isPersistent && isSent) {
      this.isReused = true;
      this.socket.unref();
      this.connections.release(this);
    } else this.drop();
    exchange.resolve(this.response);
  }

  private fail(error: unknown): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.drop();
    if (exchange === undefined) return;
    const wasClosed = this.isReused && this.response.isUntouched && CLOSED.has((error as NodeJS.ErrnoException).code);
    if (wasClosed) this.connections.repeat(exchange);
    else exchange.reject(error);
  }

  private readonly abort = (): void => {
    if (this.exchange !== undefined) this.fail(deadlinePassed());
  };
}

const deadlinePassed = (): Error => new Error('the deadline of the request has passed');

/** As node:http reports it. */
const connectionClosed = (): Error => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
