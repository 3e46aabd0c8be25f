/**
 * Sends POST requests over keep-alive connections: a request is one write to its socket, and a response is read without streams. It
 * has what calls to an AWS service need, and nothing else of HTTP; docs/adr/write-calls-past-the-sdk.md has the reasons.
 */
import { connect, isIP } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { hostOf } from 'shared/host';
import { HttpConnections, type Opener } from './http-connections';
import type { HttpResponse } from './http-response';

export interface HttpClientOptions {
  /** A request is aborted after this time without data on its connection, ms. */
  readonly silenceMs: number;
  /** CAs that replace those of Node.js, PEM. */
  readonly ca?: string | undefined;
}

export class HttpClient {
  private readonly origins = new Map<string, HttpConnections>();
  private secureContext: SecureContext | undefined;

  constructor(private readonly options: HttpClientOptions) {}

  /**
   * Sends a POST request to `/` once. If the server had closed an idle connection, the request is sent again over a new one. The body
   * is not read after the promise has settled.
   * @param url its scheme, host and port are used
   * @param headers in lower case, without content-length
   * @throws HttpResponseError if the response is not valid, and Error, mostly with a code of Node.js, if there is no response
   */
  post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const head = headOf(headers, body.length);
      this.originOf(url).start({ head, body, signal, resolve, reject });
    });
  }

  private originOf(url: URL): HttpConnections {
    let origin = this.origins.get(url.href);
    if (origin === undefined) {
      origin = new HttpConnections(
        url.protocol === 'https:' ? this.tlsOpener(url) : tcpOpener(url),
        this.options.silenceMs,
      );
      this.origins.set(url.href, origin);
    }
    return origin;
  }

  private tlsOpener(url: URL): Opener {
    const { host, port } = placeOf(url, 443);
    // One for all connections, because each would read the CAs again.
    this.secureContext ??= createSecureContext({ minVersion: 'TLSv1.2', ca: this.options.ca });
    const options = {
      host,
      port,
      // An IP address is not a valid server name.
      servername: isIP(host) === 0 ? host : '',
      secureContext: this.secureContext,
      ALPNProtocols: ['http/1.1'],
    };
    let session: Buffer | undefined;
    return (onread, ready) => {
      // Node.js documents `onread` here, but its types do not.
      const withReader = { ...options, session, onread };
      const socket = connectTls(withReader, ready);
      socket.on('session', (ticket) => {
        session = ticket;
      });
      socket.on('error', () => {
        session = undefined;
      });
      return socket;
    };
  }
}

function tcpOpener(url: URL): Opener {
  const place = placeOf(url, 80);
  return (onread, ready) => connect({ ...place, onread }, ready);
}

function placeOf(url: URL, defaultPort: number): { host: string; port: number } {
  return { host: hostOf(url), port: url.port === '' ? defaultPort : Number(url.port) };
}

/** @throws TypeError for a header value that would change the request: no part of it is in the message, because it may be a secret */
function headOf(headers: Readonly<Record<string, string>>, contentLength: number): string {
  let head = 'POST / HTTP/1.1\r\n';
  for (const name in headers) {
    const value = headers[name];
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError(`invalid character in the header ${name}`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}content-length: ${contentLength}\r\nconnection: keep-alive\r\n\r\n`;
}
