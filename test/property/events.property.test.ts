/** Events of any shape get a response, or an error of a known type that names the expected form. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { parseMappings } from 'shared/datasets/mapping';
import { detectDatasetStep } from 'shared/loads/detect-dataset';
import { loadSchema } from 'shared/loads/load';
import { isNotification, objectsToLoad, queueMessages } from 'shared/loads/object-events';
import { apiHandler, jsonBody } from '../../functions/http';
import { startLoad } from '../../functions/start-load/start-load';
import { handlerOf } from '../support/connector-handler';
import { anyJson, mutated, runs } from '../support/fuzz';
import { recordingLogger } from '../support/influx-writing';

const EVENTS = path.resolve(__dirname, '../../events');
const samples = (prefix: string): unknown[] =>
  readdirSync(EVENTS)
    .filter((file) => file.startsWith(prefix))
    .map((file) => JSON.parse(readFileSync(path.join(EVENTS, file), 'utf8')) as unknown);

/** Any JSON, or changed sample events of a function. */
const eventsLike = (prefix: string): fc.Arbitrary<unknown> => fc.oneof(anyJson, ...samples(prefix).map(mutated));

const STATUSES = [200, 204, 400, 404, 405, 413, 415, 422];

/** Line protocol anywhere in an event. */
const LINE_PROTOCOL = 'unread,t=a v=1i 7';

test('the write function responds to requests, fails any other event, and writes no stack into log or response', async () => {
  const foreign = ['load-object', 'detect-dataset', 'start-load', 'dead-letter', 'authorize-token'];
  const body = fc.record({ body: fc.oneof(fc.constant(LINE_PROTOCOL), anyJson) });
  const withBody = fc.tuple(fc.oneof(...foreign.flatMap(samples).map(mutated)), body);
  const events = fc.oneof(
    eventsLike('write-line-protocol'),
    ...foreign.map(eventsLike),
    withBody.map(([event, more]) => (typeof event === 'object' ? { ...event, ...more } : more)),
  );
  await fc.assert(
    fc.asyncProperty(events, async (event) => {
      const { handle, logger, stored } = handlerOf();
      const { asynchronous, body: text } = (event ?? {}) as { asynchronous?: unknown; body?: unknown };
      try {
        const response = await handle(event);
        expect(STATUSES).toContain(asynchronous === true ? 204 : response?.statusCode);
        expect(response?.body ?? '').not.toMatch(/\n\s+at /);
        // The lines that the function read are stored; other parts of the event may contain lines too.
        if (text === LINE_PROTOCOL && response?.statusCode === 204) {
          const isWrite = ((event as { httpMethod?: string }).httpMethod ?? 'POST').toUpperCase() === 'POST';
          expect(stored).toHaveLength(isWrite ? 1 : 0);
        }
      } catch (error) {
        // Lambda reports the invocation as failed.
        const handedOver = ['ApiError', 'RequestTooLargeError', 'ConfigurationError'];
        const names = ['InvalidEventError', ...(asynchronous === true ? handedOver : [])];
        expect(names).toContain((error as Error).name);
        expect((error as Error).message).not.toBe('');
        expect(stored).toEqual([]);
      }
      expect(logger.entries.map(({ message }) => message)).not.toContain('unexpected failure');
    }),
    runs(600),
  );
});

test('the write function responds to bodies of any bytes', async () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((body) => Buffer.from(body));
  const lines = fc
    .array(fc.constantFrom(...'m,t=1 v= "\\\n\r#.-eiu0\u00e9\u0000'), { maxLength: 200 })
    .map((parts) => Buffer.from(parts.join('')));
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, lines), async (body) => {
      const response = await handlerOf().handle({ body: body.toString('base64'), isBase64Encoded: true });
      expect([204, 400, 422]).toContain(response?.statusCode);
    }),
    runs(500),
  );
});

/** Expects that `read` accepts the event or throws an error that its caller handles. */
function expectKnown(read: () => unknown, names: readonly string[]): void {
  try {
    read();
  } catch (error) {
    expect(names).toContain((error as Error).name);
    expect((error as Error).message).not.toBe('');
  }
}

test('reads the input of a load, or refuses it', async () => {
  const objects = { write: () => Promise.resolve() };
  const rules = { mappings: BUILT_IN_MAPPINGS, reservedConcurrency: undefined, objects, workBucket: 'work' };
  await fc.assert(
    fc.asyncProperty(eventsLike('detect-dataset'), async (event) => {
      const load = await detectDatasetStep(event, rules).catch((error: Error) => {
        expect(['InvalidEventError', 'DataConversionError']).toContain(error.name);
      });
      if (load) expect(loadSchema.parse(load)).toEqual(load);
    }),
    runs(500),
  );
});

test('reads the objects that an event names, or refuses it', () => {
  fc.assert(
    fc.property(eventsLike('load-object'), (event) => {
      isNotification(event);
      expectKnown(() => queueMessages(event), ['InvalidEventError']);
      expectKnown(() => objectsToLoad(event), ['InvalidEventError']);
    }),
    runs(500),
  );
});

test('responds to every request to start a load, never with an internal error', async () => {
  const services = {
    executions: { start: () => Promise.resolve(true), describe: () => Promise.resolve(undefined) },
    mappings: BUILT_IN_MAPPINGS,
  };
  const handle = apiHandler(recordingLogger(), (event) => startLoad(event, services as never));
  await fc.assert(
    fc.asyncProperty(eventsLike('start-load'), async (event) => {
      expect([202, 400]).toContain((await handle(event)).statusCode);
    }),
    runs(300),
  );
  await fc.assert(
    fc.asyncProperty(mutated(JSON.parse((samples('start-load')[0] as { body: string }).body)), async (input) => {
      const event = { httpMethod: 'POST', requestContext: {}, body: JSON.stringify(input) };
      expect([202, 400]).toContain((await handle(event)).statusCode);
    }),
    runs(300),
  );
});

test('reads the JSON in a body, or refuses it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.json()), fc.boolean(), (body, isBase64Encoded) =>
      expectKnown(() => jsonBody({ body, isBase64Encoded }), ['InvalidEventError']),
    ),
    runs(500),
  );
});

test('reads dataset mappings, or refuses them', () => {
  fc.assert(
    fc.property(fc.oneof(anyJson, ...BUILT_IN_MAPPINGS.map(mutated), fc.array(mutated(BUILT_IN_MAPPINGS[0]))), (json) =>
      expectKnown(() => parseMappings(JSON.stringify(json)), ['ConfigurationError']),
    ),
    runs(500),
  );
});
