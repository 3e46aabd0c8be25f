/** Adds the reason to the connector's responses while the embedded Timestream cannot store anything. */
import type { HttpResponse } from '../../functions/write-line-protocol/responses';
import type { ConnectorOptions } from './server';

/**
 * Wraps the handler: while `fault` returns a reason, it is the message of 503 responses, also of /health. The handler itself never
 * repeats the texts of Timestream's errors, because they may disclose internals of an account.
 */
export function withStorageFault(
  handler: ConnectorOptions['handler'],
  fault: () => string | undefined,
): ConnectorOptions['handler'] {
  return async (event, context) => {
    const response = await handler(event, context);
    const reason = fault();
    return response?.statusCode === 503 && reason !== undefined ? withMessage(response, reason) : response;
  };
}

const withMessage = (response: HttpResponse, message: string): HttpResponse => ({
  ...response,
  body: JSON.stringify({ ...(JSON.parse(response.body) as object), message }),
});
