import type { Context } from 'aws-lambda';
import { createLogger, type FunctionLogger, type LogLevel } from 'shared/logger';
import { stdoutLines } from '../support/stdout-lines';

/** The log entries that `use` writes. */
async function entries(level: LogLevel, use: (logger: FunctionLogger) => void): Promise<Record<string, unknown>[]> {
  const lines = await stdoutLines(() => use(createLogger('load-batch', level)));
  return lines.map((line) => JSON.parse(line));
}

test('writes an entry as one JSON line with level, service, request id and fields', async () => {
  const [entry] = await entries('INFO', (logger) => {
    logger.addContext({ awsRequestId: 'r-1', functionName: 'f' } as Context);
    logger.info('loaded', { points: 3, size: 5n });
  });
  expect(entry).toMatchObject({
    level: 'INFO',
    message: 'loaded',
    service: 'load-batch',
    function_request_id: 'r-1',
    points: 3,
    size: '5',
  });
});

test('writes only entries of the given level and above', async () => {
  const all = (logger: FunctionLogger): void => {
    logger.debug('d');
    logger.info('i');
    logger.warn('w');
    logger.error('e');
  };
  expect((await entries('WARN', all)).map((entry) => entry.message)).toEqual(['w', 'e']);
  expect(await entries('DEBUG', all)).toHaveLength(4);
});

test('logs an error with its name, message and causes, without a stack trace', async () => {
  const error = new TypeError('outer', { cause: new RangeError('inner') });
  const [entry] = await entries('INFO', (logger) => logger.error('failed', { error, failure: error }));
  const expected = { name: 'TypeError', message: 'outer', cause: { name: 'RangeError', message: 'inner' } };
  expect(entry).toMatchObject({ error: expected, failure: expected });
  expect(JSON.stringify(entry)).not.toContain('.test.ts');
});

test.each([
  { fields: { token: 'abcdef123456' } },
  { fields: { INFLUXDB_TOKEN: 'abcdef123456' } },
  { fields: { headers: { authorization: 'Token abcdef123456' } } },
  { fields: { nested: { deep: ['sent Bearer abcdef123456 to it'] } } },
  { fields: { url: 'http://h/write?db=d&u=me&p=abcdef123456' } },
  { fields: { error: new Error('refused Token abcdef123456') } },
])('does not log a secret: %j', async ({ fields }) => {
  const [entry] = await entries('INFO', (logger) => logger.info('x', fields));
  expect(JSON.stringify(entry)).not.toContain('abcdef123456');
  expect(JSON.stringify(entry)).toContain('***');
});

test('truncates a long text and logs its length', async () => {
  const [entry] = await entries('INFO', (logger) => logger.info('x', { body: 'y'.repeat(1_000_000) }));
  expect(JSON.stringify(entry).length).toBeLessThan(2500);
  expect(entry?.body).toContain('(1000000 characters)');
});
