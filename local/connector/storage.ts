/** The connector where the embedded Timestream cannot store anything: its responses give the reason. */
import type { HttpResponse } from '../../functions/write-line-protocol/responses';
import type { ConnectorOptions } from './server';

/**
 * The handler; its 503 responses, also those of /health, have `fault` as their message while there is one. The connector alone
 * does not repeat the texts of Timestream's errors, which may hold internals of an account.
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
