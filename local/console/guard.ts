/** Decides which requests may use the console's API: those of its own page, with a token if the server requires one. */

import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { hostOf } from 'shared/host';
import type { AcceptedToken } from 'shared/tokens/accepted';
import type { CredentialSource } from 'shared/tokens/presented';
import { ApiError } from '../../functions/write-line-protocol/api-error';

/** Resolves to the token of an authorized request, else to undefined. */
export type Verify = (request: CredentialSource) => Promise<AcceptedToken | undefined>;

/**
 * Refuses requests that another web page may have made. Browsers send the header X-Console to another origin only after a preflight
 * request, which the server refuses. A page whose name was pointed at this machine (DNS rebinding) sends that name as the Host.
 * @param listensOn the host that the server listens on
 * @throws ApiError 403
 */
export function assertOwnPage(headers: IncomingHttpHeaders, listensOn: string): void {
  if (headers['x-console'] !== '1') {
    throw new ApiError(403, 'forbidden', 'requests to the console need the header X-Console: 1');
  }
  if (!isOwnName(headers.host, listensOn)) {
    const message =
      'the console is served only by the address of this machine, not by another name: use http://localhost';
    throw new ApiError(403, 'forbidden', message);
  }
}

/** Whether a Host header names this machine in a way that no DNS server of others decides. */
export function isOwnName(host: string | undefined, listensOn: string): boolean {
  const url = `http://${host ?? ''}`;
  if (host === undefined || !URL.canParse(url)) return false;
  const name = hostOf(new URL(url));
  const own = ['localhost', listensOn.toLowerCase(), hostname().toLowerCase()];
  return isIP(name) !== 0 || name.endsWith('.localhost') || own.includes(name);
}

/**
 * Without tokens, only this machine may use the console: whoever may write from another one must not read the data, or run queries that
 * Amazon Timestream bills.
 * @param verify undefined if the server requires no token
 * @throws ApiError 401 without an accepted token, 403 from another machine where there are no tokens
 */
export async function assertAuthorized(
  {
    headers,
    socket,
  }: { readonly headers: IncomingHttpHeaders; readonly socket: { readonly remoteAddress?: string | undefined } },
  verify: Verify | undefined,
): Promise<void> {
  if (verify !== undefined) return await assertToken(headers, verify);
  if (/^(?:::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '')) return;
  const message = 'without a token the console serves only its own machine: start the server with --token';
  throw new ApiError(403, 'forbidden', message);
}

/** @throws ApiError 401 */
export async function assertToken(headers: IncomingHttpHeaders, verify: Verify): Promise<void> {
  if ((await verify({ headers })) !== undefined) return;
  throw new ApiError(401, 'unauthorized', 'unauthorized access', { 'WWW-Authenticate': 'Token' });
}
