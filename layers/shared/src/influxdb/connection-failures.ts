/** Explains why a connection failed and what to change; detects whether a server speaks TLS. */
import { connect } from 'node:tls';
import { hostOf } from '../host';

export interface ConnectionFailure {
  readonly reason: string;
  /** The address or the certificate is wrong, so a retry fails the same way. */
  readonly isPermanent: boolean;
}

/** Error codes for a certificate authority that Node does not trust. Source: the manual of openssl-verify, "Diagnostics". */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const OUT_OF_DATE = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** @param url the base URL that could not be reached */
export function connectionFailure(error: Error, url: string): ConnectionFailure {
  const code = 'code' in error ? String(error.code) : '';
  const { host, hostname } = new URL(url);
  const permanent = (reason: string): ConnectionFailure => ({ reason, isPermanent: true });
  // OpenSSL parsed the start of an HTTP response as a TLS record.
  if (/wrong.version.number|packet.length.too.long/i.test(`${error.message} ${code}`))
    return permanent(schemeError(url));
  if (UNTRUSTED.has(code)) {
    return permanent(
      `the certificate of ${host} is signed by an authority that Node.js does not trust (${code}). ` +
        'Save the certificate of the authority as a PEM file and set NODE_EXTRA_CA_CERTS to its path',
    );
  }
  if (OUT_OF_DATE.has(code))
    return permanent(`the certificate of ${host} is expired or not yet valid (${code}). Renew it`);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return permanent(
      `the certificate of ${host} is for another host name. Use a host name of the certificate: ${error.message}`,
    );
  }
  // For a host with several addresses the error is an AggregateError, which has a code and no message.
  const text = error.message || code || error.name;
  if (code === 'ECONNREFUSED') return { reason: `nothing listens at ${url} (${text})`, isPermanent: false };
  if (code === 'ENOTFOUND') return { reason: `the host ${hostname} does not exist (${text})`, isPermanent: false };
  return { reason: text, isPermanent: false };
}

/** The message for a URL with another scheme than the server's. */
export function schemeError(url: string): string {
  const { protocol, host } = new URL(url);
  const [given, right] = protocol === 'https:' ? ['https', 'http'] : ['http', 'https'];
  return `${given} was requested, but the server at ${host} speaks ${right}. Use ${right}://`;
}

/** Whether the server at an address completes a TLS handshake. Any certificate is accepted. */
export function speaksTls(url: string, limitMs: number): Promise<boolean> {
  const server = new URL(url);
  return new Promise((resolve) => {
    // Nothing is sent, so the certificate need not be trusted.
    const socket = connect({
      host: hostOf(server),
      port: Number(server.port || 80),
      rejectUnauthorized: false,
      timeout: limitMs,
    });
    const settle = (isTls: boolean) => () => {
      socket.destroy();
      resolve(isTls);
    };
    socket.on('secureConnect', settle(true)).on('error', settle(false)).on('timeout', settle(false));
  });
}
