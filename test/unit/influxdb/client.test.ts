import { InfluxClient } from 'shared/influxdb/client';
import type { TokenProvider } from 'shared/influxdb/token';

const TARGET = { engine: 'v2', url: 'http://influxdb', org: 'o', bucket: 'b' } as const;
const never = () => new Promise<never>(() => undefined);

test.each<[string, TokenProvider]>([
  ['the token', { get: never, renew: never }],
  ['a new token after a 401', { get: () => Promise.resolve('old'), renew: never }],
])('the signal ends a write that waits for %s', async (_, tokens) => {
  const refused = { kind: 'response', status: 401, body: '' } as const;
  const transport = { exchange: () => Promise.resolve(refused), close: () => undefined };
  const client = new InfluxClient(TARGET, tokens, {}, transport);
  const deadline = new AbortController();
  const writing = client.write(await client.encode(Buffer.from('m v=1 1\n')), deadline.signal);
  deadline.abort();
  expect(await writing).toMatchObject({ kind: 'retryable', cause: 'unavailable', reason: 'stopped' });
});
