/** Validates the input of the console's API. */

import { InvalidEventError } from 'shared/errors';
import type { Precision } from 'shared/line-protocol/precision';
import { validate } from 'shared/validation';
import { z } from 'zod';
import { ApiError } from '../../functions/write-line-protocol/api-error';
import { requestPrecision } from '../../functions/write-line-protocol/write';

/** Maximum rows of a query. */
const MAX_ROWS = 100_000;
const DEFAULT_ROWS = 1_000;
const MAX_LINES = 1_000;
const MAX_LINES_BYTES = 1024 * 1024;

const name = z.string().min(1).max(256);
const tableSchema = z.object({ database: name, table: name });
const querySchema = z.object({
  /** The limit of the Query API. */
  sql: z.string().min(1).max(262_144),
  maxRows: z.number().int().min(1).max(MAX_ROWS).default(DEFAULT_ROWS),
});
const trySchema = z.object({
  lines: z.string(),
  precision: z.string(),
  path: z.enum(['/api/v2/write', '/write']).default('/api/v2/write'),
});

/** @throws InvalidEventError */
export const tableRequest = (parameters: Readonly<Record<string, string>>) =>
  validate(tableSchema, parameters, 'the table');

/** @throws InvalidEventError */
export const queryRequest = (body: Buffer) => validate(querySchema, jsonOf(body), 'the query');

/** @throws InvalidEventError, ApiError for an unknown precision, ApiError 413 for too many lines */
export function tryRequest(body: Buffer): { readonly lines: string; readonly precision: Precision } {
  const { lines, precision, path } = validate(trySchema, jsonOf(body), 'the request');
  const count = lines.replace(/\n$/, '').split('\n').length;
  if (Buffer.byteLength(lines) > MAX_LINES_BYTES || count > MAX_LINES) {
    const message = `at most ${MAX_LINES} lines and ${MAX_LINES_BYTES} bytes can be tried; write the others with a client`;
    throw new ApiError(413, 'request too large', message);
  }
  return { lines, precision: requestPrecision({ path, query: new Map([['precision', precision]]) }) };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new InvalidEventError('the body of the request must be JSON');
  }
}
