/** Requests to the console's API. The page comes from the same server and version, so responses are not checked. */
import type { Databases, Overview, Run, TableDetails, TriedLines, WriteEntry } from './responses';
import { session } from './session';

/** An error response of the server, or status 0 if there was none. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Headers of every request of the page. */
export function headersWith(token: string | undefined): Record<string, string> {
  return { 'X-Console': '1', ...(token !== undefined && { Authorization: `Token ${token}` }) };
}

/** @throws RequestError for a response that is not successful, or none */
export async function send(path: string, init: RequestInit, token: string | undefined): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: headersWith(token) });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RequestError(0, 'The server does not respond. Is npm start still running?');
  }
  if (response.ok) return response;
  const text = await response.text();
  throw new RequestError(response.status, messageIn(text) ?? `The server returned ${response.status}. ${text}`);
}

function messageIn(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Sends the session's token. If the server refuses it, the page asks for another. */
async function request(path: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await send(path, init, session.token());
  } catch (error) {
    if (error instanceof RequestError && error.status === 401) session.refused();
    throw error;
  }
}

const get = async <T>(path: string): Promise<T> => (await request(`/console/api/${path}`)).json() as Promise<T>;

export const api = {
  overview: () => get<Overview>('overview'),
  databases: () => get<Databases>('databases'),
  table: (database: string, table: string) =>
    get<TableDetails>(`table?${new URLSearchParams({ database, table }).toString()}`),
  writes: () => get<{ readonly writes: readonly WriteEntry[] }>('writes'),
  work: () => get<{ readonly runs: readonly Run[] }>('work'),
  tryLines: async (lines: string, precision: string) => {
    const body = JSON.stringify({ lines, precision });
    const response = await request('/console/api/try', { method: 'POST', body });
    return (await response.json()) as TriedLines;
  },
  /** Writes the lines as any client does. Returns the response's status. @throws RequestError as for every request */
  write: async (lines: string, precision: string) =>
    (await request(`/api/v2/write?${new URLSearchParams({ precision }).toString()}`, { method: 'POST', body: lines }))
      .status,
};
