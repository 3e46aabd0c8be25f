/** Requests with an unchanged target; `fetch` would normalize it. */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface TargetRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface TargetResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export function sendTarget(
  base: string,
  { method, target, headers = {}, body }: TargetRequest,
): Promise<TargetResponse> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const path = target.replace('{base}', base);
    const sent = request({ hostname, port, method, path, headers, agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      text(response).then((read) => resolve({ status, headers: response.headers, body: read }), reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
