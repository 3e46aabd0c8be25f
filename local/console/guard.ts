/** Decides which requests may use the console's API: those of its own page, with a token if the server requires one. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { AcceptedToken } from 'shared/tokens/accepted';
import type { CredentialSource } from 'shared/tokens/presented';
import { ConsoleError } from './responses';

/** Resolves to the token of an authorized request, else to undefined. */
export type Verify = (request: CredentialSource) => Promise<AcceptedToken | undefined>;

/**
 * Refuses requests that another web page may have made. Browsers send the header X-Console to another origin only after a preflight
 * request, which the server refuses. A page whose name was pointed at this machine (DNS rebinding) sends that name as the Host.
 * @param listensOn the host that the server listens on
 * @throws ConsoleError 403
 */
export function assertOwnPage({ headers }: Pick<IncomingMessage, 'headers'>, listensOn: string): void {
  if (headers['x-console'] !== '1') {
    throw new ConsoleError(403, 'forbidden', 'requests to the console need the header X-Console: 1');
  }
  if (!isOwnName(headers.host, listensOn)) {
    const message =
      'the console is served only by the address of this machine, not by another name: use http://localhost';
    throw new ConsoleError(403, 'forbidden', message);
  }
}

/** Whether a Host header names this machine in a way that no DNS server of others decides. */
export function isOwnName(host: string | undefined, listensOn: string): boolean {
  const url = `http://${host ?? ''}`;
  if (host === undefined || !URL.canParse(url)) return false;
  const name = new URL(url).hostname.replace(/^\[|\]$/g, '');
  const own = ['localhost', listensOn.toLowerCase(), hostname().toLowerCase()];
  return isIP(name) !== 0 || name.endsWith('.localhost') || own.includes(name);
}

/**
 * @param verify undefined if every request is authorized
 * @throws ConsoleError 401
 */
export async function assertAuthorized(
  { headers }: Pick<IncomingMessage, 'headers'>,
  verify: Verify | undefined,
): Promise<void> {
  if (verify === undefined || (await verify({ headers })) !== undefined) return;
  throw new ConsoleError(401, 'unauthorized', 'unauthorized access', { 'WWW-Authenticate': 'Token' });
}
