/** The request id links a response, the log entries and the trace of a request. */
import { createLogger } from 'shared/logger';
import type { Tracer } from 'shared/tracing';
import { jsonResponse } from '../../functions/http';
import { step } from '../../functions/step';
import { ASYNCHRONOUS, handlerOf, writeEvent } from '../support/connector-handler';
import { LAMBDA_CONTEXT } from '../support/lambda-context';
import { stdoutLines } from '../support/stdout-lines';

/** A tracer that records the names of the parts, and the annotations at their end. */
function recordingTracer() {
  const parts: { readonly name: string; readonly annotations: object }[] = [];
  let current = {};
  const tracer: Tracer = {
    annotate: (annotations) => {
      current = annotations;
    },
    trace: async (name, work) => {
      const result = await work();
      parts.push({ name, annotations: current });
      return result;
    },
  };
  return { tracer, parts };
}

const POINT = 'cpu,host=a v=1 1';

test.each([
  ['/api/v2/write', 'POST', 204],
  ['/ping', 'GET', 204],
  ['/health', 'GET', 200],
  ['/api/v2/query', 'POST', 404],
])('is in the header X-Request-Id of the response to %s', async (path, httpMethod, status) => {
  const response = await handlerOf().handle(writeEvent(POINT, { path, resource: path, httpMethod }));
  expect(response).toMatchObject({ statusCode: status, headers: { 'X-Request-Id': 'request-1' } });
});

test('is in the response to a request that cannot be read', async () => {
  const requestContext = { requestId: 'request-1', requestTimeEpoch: -1 };
  const response = await handlerOf().handle(writeEvent(POINT, { requestContext }));
  expect(response).toMatchObject({ statusCode: 400, headers: { 'X-Request-Id': 'request-1' } });
});

test.each([undefined, '', 'a\r\nSet-Cookie: b', 'x'.repeat(101)])('%j is no header', async (requestId) => {
  const { handle } = handlerOf();
  const response = await handle(writeEvent(POINT, { requestContext: { requestId } as never }));
  expect(response?.statusCode).toBe(204);
  expect(response?.headers).not.toHaveProperty('X-Request-Id');
});

test.each([
  ['a request', { httpMethod: 'GET', requestContext: { requestId: 'r-1' } }, { 'X-Request-Id': 'r-1' }],
  ['an event without a request', {}, {}],
])('of the functions of loads: %s', async (_, event, expected) => {
  const handler = step(createLogger('describe-load', 'INFO'), () => Promise.resolve(jsonResponse(200, {})));
  const { headers } = await handler(event, LAMBDA_CONTEXT);
  expect(headers).toEqual({ 'Content-Type': 'application/json; charset=utf-8', ...expected });
});

test('is not added to the result of a step of a workflow', async () => {
  const handler = step(createLogger('plan-load', 'INFO'), () => Promise.resolve({ items: 3 }));
  expect(await handler({ requestContext: { requestId: 'r-1' } }, LAMBDA_CONTEXT)).toEqual({ items: 3 });
});

test('is in each log entry of its request, and in no entry of the next one without an id', async () => {
  const { handle } = handlerOf({ logger: createLogger('write-line-protocol', 'INFO') });
  const lines = await stdoutLines(async () => {
    await handle(writeEvent(POINT));
    await handle({ body: POINT });
  });
  const entries = lines.map((line): { message: string; requestId?: string } => JSON.parse(line));
  expect(entries.map(({ message, requestId }) => [message, requestId])).toEqual([
    ['write', 'request-1'],
    ['write', undefined],
  ]);
});

test('is the annotation of the parts of its trace, also where a second invocation stores the write', async () => {
  const { tracer, parts } = recordingTracer();
  const { handle, handedOver } = handlerOf({ tracer, environment: ASYNCHRONOUS });
  await handle(writeEvent(POINT));
  expect(parts).toEqual([]);
  await handle(handedOver[0]);
  expect(parts).toEqual([{ name: 'decode', annotations: { request_id: 'request-1' } }]);
});
