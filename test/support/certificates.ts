/** Certificates for servers of the tests, signed by a new authority. */
import { generate } from 'selfsigned';

/** PEM. */
export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface Authority {
  /** The authority's certificate, PEM, which a client must trust. */
  readonly cert: string;
  /** A certificate for a host name, valid for a day from `from`. */
  sign(hostname: string, from?: Date): Promise<ServerCertificate>;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const KEY = { keyType: 'ec', algorithm: 'sha256' } as const;

export async function makeAuthority(): Promise<Authority> {
  const authority = await generate([{ name: 'commonName', value: 'authority of the tests' }], {
    ...KEY,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  return {
    cert: authority.cert,
    async sign(hostname, from = new Date()) {
      const signed = await generate([{ name: 'commonName', value: hostname }], {
        ...KEY,
        notBeforeDate: from,
        notAfterDate: new Date(from.getTime() + DAY_MS),
        ca: { key: authority.private, cert: authority.cert },
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: hostname }] }],
      });
      return { key: signed.private, cert: signed.cert };
    },
  };
}
