/** Reads the parts of an incoming HTTP request. */
import type { IncomingMessage } from 'node:http';

/** The path of a request target. A client of a proxy sends it with scheme and host. Source: RFC 9112, section 3.2. */
export const pathOf = ({ url = '/' }: IncomingMessage): string =>
  url.replace(/[?#].*$/s, '').replace(/^https?:\/\/[^/]*/i, '') || '/';

/** The query parameters. If one occurs twice, the first value counts. */
export const parametersOf = ({ url }: IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries([...new URLSearchParams(url?.replace(/^[^?]*/, ''))].reverse());

/** The body. Undefined if it is larger than `maxBytes`; it is then read to its end and dropped. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks);
}
