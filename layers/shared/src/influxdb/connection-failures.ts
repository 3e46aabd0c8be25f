/** Why no connection came about, in words that say what to change; and whether a server speaks TLS. */
import { connect } from 'node:tls';

export interface ConnectionFailure {
  readonly reason: string;
  /** Address or certificate are wrong: trying again cannot help. */
  readonly isPermanent: boolean;
}

/** Certificates of an authority that Node does not know. Source: the manual of openssl-verify, "Diagnostics". */
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
  // OpenSSL reads the beginning of an HTTP response as a record of TLS.
  if (/wrong.version.number|packet.length.too.long/i.test(`${error.message} ${code}`))
    return permanent(schemeError(url));
  if (UNTRUSTED.has(code)) {
    return permanent(
      `the certificate of ${host} is signed by an authority that is not trusted here (${code}). ` +
        'Put the certificate of the authority into a PEM file and name it in NODE_EXTRA_CA_CERTS',
    );
  }
  if (OUT_OF_DATE.has(code)) return permanent(`the certificate of ${host} is not valid today (${code}). Renew it`);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return permanent(`the certificate of ${host} is for another name. Use a name that is in it: ${error.message}`);
  }
  // A host with several addresses fails with an AggregateError, which has a code and no message.
  const text = error.message || code || error.name;
  if (code === 'ECONNREFUSED') return { reason: `nothing listens at ${url} (${text})`, isPermanent: false };
  if (code === 'ENOTFOUND') return { reason: `there is no host ${hostname} (${text})`, isPermanent: false };
  return { reason: text, isPermanent: false };
}

/** What is said where the scheme of the URL is not the server's. */
export function schemeError(url: string): string {
  const { protocol, host } = new URL(url);
  const [given, right] = protocol === 'https:' ? ['https', 'http'] : ['http', 'https'];
  return `${given} was requested, but the server at ${host} speaks ${right}. Use ${right}://`;
}

/** Whether the server at an address answers a TLS handshake, whatever its certificate. */
export function speaksTls(url: string, limitMs: number): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    // Nothing is sent, so nobody's certificate has to be trusted.
    const socket = connect({ host, port: Number(port || 80), rejectUnauthorized: false, timeout: limitMs });
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('secureConnect', settle(true)).on('error', settle(false)).on('timeout', settle(false));
  });
}
