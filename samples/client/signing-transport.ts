/**
 * Signs the writes of @influxdata/influxdb-client for an endpoint with IAM authorization (Signature Version 4). The signature covers
 * the compressed body, so the body is compressed here and not by the library.
 */
import { gzipSync } from 'node:zlib';
import type { Transport } from '@influxdata/influxdb-client';
import { Hash } from '@smithy/hash-node';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, Provider } from '@smithy/types';

type SendOptions = Parameters<Transport['send']>[2];
type SendCallbacks = Parameters<Transport['send']>[3];

export interface SigningOptions {
  /** The base URL that `inner` was created with; its path is a prefix. */
  readonly url: string;
  readonly region: string;
  /** execute-api for API Gateway. */
  readonly service: string;
  readonly credentials: AwsCredentialIdentity | Provider<AwsCredentialIdentity>;
  /** The time of a signature; tests pass their own. */
  readonly now?: () => Date;
}

export class SigningTransport implements Transport {
  private readonly inner: Transport;
  private readonly url: URL;
  private readonly signer: SignatureV4;
  private readonly now: () => Date;

  constructor(inner: Transport, { url, region, service, credentials, now = () => new Date() }: SigningOptions) {
    this.inner = inner;
    this.url = new URL(url);
    this.signer = new SignatureV4({ region, service, credentials, sha256: Hash.bind(null, 'sha256') });
    this.now = now;
  }

  get chunkCombiner(): Transport['chunkCombiner'] {
    return this.inner.chunkCombiner;
  }

  send(path: string, body: string, options: SendOptions, callbacks?: SendCallbacks): void {
    const { gzipThreshold = Number.POSITIVE_INFINITY, ...others } = options;
    const plain = Buffer.from(body);
    const compress = plain.length > gzipThreshold;
    const bytes = compress ? gzipSync(plain) : plain;
    const headers = { ...options.headers, ...(compress && { 'content-encoding': 'gzip' }) };
    this.sign(path, options.method, headers, bytes).then(
      // The type requires a string, but the transport passes the value to Buffer.from, which keeps bytes unchanged.
      (signed) => this.inner.send(path, bytes as unknown as string, { ...others, headers: signed }, callbacks),
      (error: Error) => callbacks?.error?.(error),
    );
  }

  request(): Promise<never> {
    return Promise.reject(new Error('only writes are signed'));
  }

  iterate(): AsyncIterableIterator<Uint8Array> {
    throw new Error('only writes are signed');
  }

  private async sign(
    path: string,
    method: string,
    headers: Record<string, string>,
    body: Uint8Array,
  ): Promise<Record<string, string>> {
    const { protocol, hostname, host, port, pathname } = this.url;
    const target = new URL(`${pathname.replace(/\/$/, '')}${path}`, this.url);
    const request = await this.signer.sign(
      {
        method,
        protocol,
        hostname,
        ...(port !== '' && { port: Number(port) }),
        path: target.pathname,
        query: Object.fromEntries(target.searchParams),
        headers: { ...headers, host },
        body,
      },
      { signingDate: this.now() },
    );
    return request.headers;
  }
}
