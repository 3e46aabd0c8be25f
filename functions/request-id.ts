/** The request id of API Gateway, or of the local server: it links a response, log entries and traces. */

/** The id of the request in an event. Empty if there is none, or if it could not be a header. */
export function requestIdOf(event: unknown): string {
  const { requestContext } = (event ?? {}) as { readonly requestContext?: { readonly requestId?: unknown } | null };
  const id = requestContext?.requestId;
  return typeof id === 'string' && /^[\w=+/-]{1,100}$/.test(id) ? id : '';
}

/** Adds the id to a response. A result without headers is not a response, and stays as it is. */
export function withRequestId<Result>(result: Result, id: string): Result {
  if (id === '' || typeof result !== 'object' || result === null || !('headers' in result)) return result;
  return { ...result, headers: { ...(result.headers as object), 'X-Request-Id': id } };
}
