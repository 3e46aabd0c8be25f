/**
 * The second destination where a request counts as stored without it: the lines that it does not take are kept in the dead-letter queue,
 * for it alone.
 */
import { batchLines } from 'shared/influxdb/request-lines';
import { type LinePlace, type LineReason, LineReport } from 'shared/line-report';
import { untilAborted } from 'shared/resilience/backoff';
import { ApiError } from './api-error';
import { keptMessages } from './dead-letters';
import type { Destination, DestinationResult, RequestLines, Store } from './destination';
import type { HttpRequest } from './request';
import type { WriteServices } from './write';

/** As `prepare` of the destination, but a request that it does not accept, for example because of its bucket, leaves all lines unstored. */
export function prepareOptional(destination: Destination, lines: RequestLines, report: LineReport): Store {
  try {
    return destination.prepare(lines, report);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const reasons = { unstoredReason: error.message, advice: `: ${error.message}` };
    return () => {
      const unstoredLines = validLines(lines);
      const points = unstoredLines.length;
      const none = { calls: 0, throttledCalls: 0, stored: 0, superseded: 0, throttled: false };
      return Promise.resolve({ ...none, points, unstored: points, unstoredLines, ...reasons });
    };
  }
}

function validLines({ body, precision, request, leftOut }: RequestLines): LinePlace[] {
  const limits = { maxLineBytes: body.length, batchLines: body.length, batchBytes: body.length };
  const options = { ...limits, precision, requestTime: request.time, leftOut };
  return batchLines(body, options, new LineReport()).flatMap(({ places }) => places);
}

/**
 * Puts the lines that are unstored or rejected into the dead-letter queue. If that fails, they count as unstored, so that the client sends
 * the request again.
 */
export async function keepUnstored(
  result: DestinationResult,
  rejected: readonly LineReason[],
  request: HttpRequest,
  body: Buffer,
  { sendDeadLetter, logger }: Pick<WriteServices, 'sendDeadLetter' | 'logger'>,
  signal: AbortSignal,
): Promise<DestinationResult> {
  const { destination, unstored, unstoredLines = [], advice } = result;
  const lines = unstored + rejected.length;
  if (lines === 0) return result;
  try {
    for (const kept of [unstoredLines, rejected]) {
      for (const message of await keptMessages(request, body, kept, destination)) {
        await untilAborted(sendDeadLetter(message, signal), signal);
      }
    }
    return { ...result, unstored: 0, kept: lines };
  } catch (error) {
    logger.error('lines that were not stored could not be put into the dead-letter queue', { destination, error });
    return { ...result, unstored: lines, advice: advice === '' ? ': send the request again' : advice };
  }
}
