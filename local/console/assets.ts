/** Serves the files of the console's page, which scripts/bundle-console.mjs makes. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError } from '../../functions/write-line-protocol/api-error';
import { type ConsoleResponse, contentResponse } from './responses';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};
const NAME = /^[a-z0-9][\w-]*(?:\.[\w-]+)*\.([a-z]+)$/i;

/**
 * @param folder with the files of the page
 * @param name of a file in it
 * @throws ApiError 404 if there is no such file, 503 if the page was not built
 */
export async function asset(folder: string, name: string): Promise<ConsoleResponse> {
  const type = TYPES[NAME.exec(name)?.[1] ?? ''];
  if (type === undefined) throw notFound(name);
  const body = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    if (name !== 'index.html') throw notFound(name);
    throw new ApiError(503, 'unavailable', 'the console is not built: run `npm run bundle`');
  });
  return contentResponse(type, body, 'no-cache');
}

const notFound = (name: string): ApiError =>
  new ApiError(404, 'not found', `the console has no file ${name.slice(0, 100)}`);
