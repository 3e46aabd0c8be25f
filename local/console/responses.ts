/** The responses of the console and their headers. */
import type { ApiError } from '../../functions/write-line-protocol/api-error';

export interface ConsoleResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'none'",
].join('; ');

/** Every response has them: a browser then runs only the console's own files, and no other page can read or embed them. */
const SECURITY = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** @param cacheControl `no-store` for data, `no-cache` for files, which a browser may keep but must check */
export const contentResponse = (
  contentType: string,
  body: string | Buffer,
  cacheControl: 'no-store' | 'no-cache' = 'no-store',
): ConsoleResponse => ({
  status: 200,
  headers: { 'Content-Type': contentType, 'Cache-Control': cacheControl, ...SECURITY },
  body,
});

const JSON_TYPE = 'application/json; charset=utf-8';

/** @param text JSON */
export const jsonResponse = (text: string): ConsoleResponse => contentResponse(JSON_TYPE, text);

export function errorResponse({ status, code, message, headers }: ApiError): ConsoleResponse {
  const response = jsonResponse(JSON.stringify({ code, message }));
  return { ...response, status, headers: { ...response.headers, ...headers } };
}
