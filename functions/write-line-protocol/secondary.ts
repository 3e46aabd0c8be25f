/** Keeps what the second destination did not store, where a request counts as stored without it. */
import { untilAborted } from 'shared/resilience/backoff';
import { unstoredMessages } from './dead-letters';
import type { DestinationResult } from './destination';
import type { HttpRequest } from './request';
import type { WriteServices } from './write';

/**
 * Puts the unstored lines into the dead-letter queue, for this destination alone. If that fails, they stay unstored, so that the client
 * sends the request again.
 */
export async function keepUnstored(
  result: DestinationResult,
  request: HttpRequest,
  body: Buffer,
  { sendDeadLetter, logger }: Pick<WriteServices, 'sendDeadLetter' | 'logger'>,
  signal: AbortSignal,
): Promise<DestinationResult> {
  const { destination, unstored, unstoredLines = [] } = result;
  if (unstored === 0) return result;
  try {
    const messages = await unstoredMessages(request, body, unstoredLines, destination);
    for (const message of messages) await untilAborted(sendDeadLetter(message, signal), signal);
    return { ...result, unstored: 0, kept: unstored };
  } catch (error) {
    logger.error('lines that were not stored could not be put into the dead-letter queue', { destination, error });
    return result;
  }
}
