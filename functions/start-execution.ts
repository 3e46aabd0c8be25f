/** Starts one execution of a workflow for each client token. */
import { createHash, randomUUID } from 'node:crypto';
import { grouped } from 'shared/count-text';
import { RequestTooLargeError } from 'shared/errors';
import type { Executions } from './clients/step-functions';
import { type ApiResponse, jsonResponse } from './http';

/** Step Functions accepts 256 KiB, and the first step gets the id beside the input. */
export const MAX_INPUT_BYTES = 256 * 1024 - 512;

/** What the API calls an execution. */
export interface Kind {
  readonly noun: 'load' | 'migration';
  /** How to send less, for the message of a request that is too large. */
  readonly smaller: string;
}

/** The name of an execution: the same for the same client token. */
export const executionName = (clientToken: string | null | undefined): string =>
  clientToken ? createHash('sha256').update(clientToken).digest('hex') : randomUUID();

/**
 * Returns 202 with the name of the execution. If it exists with another input, returns 409; if it exists but cannot be found yet, 503.
 * @throws RequestTooLargeError if the input is too large for an execution
 */
export async function startExecution(
  name: string,
  input: unknown,
  executions: Executions,
  { noun, smaller }: Kind,
): Promise<ApiResponse> {
  const id = { [`${noun}Id`]: name };
  const text = canonical(input);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_INPUT_BYTES) {
    const max = grouped(MAX_INPUT_BYTES);
    throw new RequestTooLargeError(`the input has ${grouped(bytes)} bytes, the limit is ${max}: ${smaller}`);
  }
  if (await executions.start(name, text)) return jsonResponse(202, { ...id, state: 'RUNNING' });
  const known = await executions.describe(name);
  if (known && canonical(JSON.parse(known.input)) !== text) {
    const message = `this clientToken was used for a ${noun} with another input: use a new clientToken`;
    return jsonResponse(409, { error: 'Conflict', message, ...id });
  }
  if (known) return jsonResponse(202, { ...id, state: known.status });
  // The two calls disagree for a moment: the execution was started, or deleted, just now.
  const message = `the ${noun} of this clientToken cannot be described yet: send the request again later`;
  return jsonResponse(503, { error: 'ServiceUnavailable', message, ...id });
}

/** JSON with sorted names, so that equal inputs give equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
