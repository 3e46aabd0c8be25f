/** How the function enforces the scope of a token, which it gets in the authorizer's context. */
import { ASYNCHRONOUS, errorIn, handlerOf, TAKEN_FOR_SUCCESS, writeEvent } from '../../support/connector-handler';

const LINE = 'm,t=1 v=1i 7';
const BUCKETS = { buckets: '["metrics","events"]' };
const BOTH = { ...BUCKETS, orgs: '["plant"]' };

const event = (path: string, queryStringParameters: Record<string, string>, authorizer?: Record<string, unknown>) =>
  writeEvent(LINE, {
    resource: path,
    path,
    queryStringParameters,
    requestContext: { ...(authorizer && { authorizer }) },
  });

test.each([
  ['no scope, and any names', '/api/v2/write', { bucket: 'any', org: 'any' }, { principalId: 'token-1' }],
  ['no authorizer', '/api/v2/write', {}, undefined],
  ['an allowed bucket', '/api/v2/write', { bucket: 'events', org: 'any' }, BUCKETS],
  ['an allowed bucket and organization', '/api/v2/write', { bucket: 'metrics', org: 'plant' }, BOTH],
  ['an allowed organization', '/api/v2/write', { bucket: 'any', org: 'plant' }, { orgs: BOTH.orgs }],
  ['an allowed db', '/write', { db: 'metrics' }, BUCKETS],
  ['an allowed db, v1 having no organization', '/write', { db: 'metrics' }, BOTH],
])('%s: the point is stored', async (_case, path, query, authorizer) => {
  const { handle, stored } = handlerOf();
  expect(await handle(event(path, query, authorizer))).toMatchObject({ statusCode: 204 });
  expect(stored).toHaveLength(1);
});

test.each([
  ['another bucket', '/api/v2/write', { bucket: 'other', org: 'plant' }, BOTH, "bucket 'other'"],
  ['another organization', '/api/v2/write', { bucket: 'metrics', org: 'other' }, BOTH, "org 'other'"],
  ['no bucket', '/api/v2/write', { org: 'plant' }, BOTH, 'a request without bucket'],
  [
    'no organization, but its id',
    '/api/v2/write',
    { bucket: 'metrics', orgID: 'plant' },
    BOTH,
    'a request without org',
  ],
  ['a bucket of another case', '/api/v2/write', { bucket: 'Metrics', org: 'plant' }, BOTH, "bucket 'Metrics'"],
  ['another bucket by an HTTP API', '/api/v2/write', { bucket: 'other' }, { lambda: BUCKETS }, "bucket 'other'"],
  ['another db', '/write', { db: 'other', bucket: 'metrics' }, BOTH, "db 'other'"],
  ['no db, but a bucket', '/write', { bucket: 'metrics' }, BUCKETS, 'a request without db'],
])('%s: returns 403 and stores nothing', async (_case, path, query, authorizer, what) => {
  const { handle, stored } = handlerOf();
  const response = await handle(event(path, query, authorizer));
  expect(response?.statusCode).toBe(403);
  expect(response?.headers['X-Platform-Error-Code']).toBe('forbidden');
  expect(errorIn(response)).toEqual({
    code: 'forbidden',
    message: `insufficient permissions for write: the token does not allow ${what}`,
  });
  expect(response?.body).not.toMatch(TAKEN_FOR_SUCCESS);
  expect(stored).toEqual([]);
});

test('in asynchronous mode a write outside the scope is not handed over', async () => {
  const { handle, handedOver } = handlerOf({ environment: ASYNCHRONOUS });
  expect(await handle(event('/api/v2/write', { bucket: 'other' }, BUCKETS))).toMatchObject({ statusCode: 403 });
  expect(await handle(event('/api/v2/write', { bucket: 'events' }, BUCKETS))).toMatchObject({ statusCode: 202 });
  expect(handedOver).toHaveLength(1);
});

test.each(['metrics', '{"metrics":1}', '[1]', '', 7, null])(
  'a scope that is not a list (%j) allows nothing',
  async (buckets) => {
    const { handle, stored } = handlerOf();
    const response = await handle(event('/api/v2/write', { bucket: 'metrics' }, { buckets }));
    expect(response?.statusCode).toBe(400);
    expect(stored).toEqual([]);
  },
);

test('enforces the scope in events of an HTTP API too', async () => {
  const { handle, stored } = handlerOf();
  const requestContext = { ...event('/api/v2/write', {}, {}).requestContext, authorizer: { lambda: BUCKETS } };
  const write = (bucket: string) => handle({ ...event('/api/v2/write', { bucket }, {}), requestContext });
  expect((await write('other'))?.statusCode).toBe(403);
  expect(stored).toEqual([]);
  expect((await write('events'))?.statusCode).toBe(204);
});

test('a scope limits writes only: every token may request /ping', async () => {
  const { handle } = handlerOf();
  const ping = { ...event('/ping', {}, BUCKETS), httpMethod: 'GET' };
  expect(await handle(ping)).toMatchObject({ statusCode: 204 });
});

describe('a v1 request whose names InfluxDB gets', () => {
  const environment = {
    destination: 'influxdb',
    // Nothing listens there, so a request that is allowed is 503.
    INFLUXDB_URL: 'http://127.0.0.1:1',
    INFLUXDB_ORG: 'plant',
    INFLUXDB_BUCKET: 'metrics',
    INFLUXDB_TOKEN: 'token',
  };
  const PASS = { bucket_mapping: 'passthrough' };
  const PASS_ORG = { org_mapping: 'passthrough' };
  const status = async (mapping: object, query: Record<string, string>, authorizer: Record<string, string>) => {
    const { handle } = handlerOf({ environment: { ...environment, ...mapping } });
    return (await handle(event('/write', query, authorizer)))?.statusCode;
  };

  test.each([
    ['the bucket of another retention policy', PASS, { db: 'metrics', rp: 'secret' }, BUCKETS, 403],
    [
      'a listed bucket of another retention policy',
      { bucket_mapping: 'metrics/r=x' },
      { db: 'metrics', rp: 'r' },
      BUCKETS,
      403,
    ],
    ['the bucket of an allowed retention policy', PASS, { db: 'a', rp: 'b' }, { buckets: '["a/b"]' }, 503],
    ['an allowed bucket', PASS, { db: 'metrics', rp: 'autogen' }, BUCKETS, 503],
    ['no db', PASS, { rp: 'r' }, BUCKETS, 403],
    ['a retention policy where all points go to one bucket', {}, { db: 'metrics', rp: 'r' }, BUCKETS, 503],
    ['the configured organization, which is allowed', PASS_ORG, { db: 'metrics' }, BOTH, 503],
    ['the configured organization, which is not allowed', PASS_ORG, { db: 'metrics' }, { orgs: '["other"]' }, 403],
    ['the configured organization by its listed name', { org_mapping: 'a=plant' }, { db: 'm' }, { orgs: '["a"]' }, 503],
    ['another organization by a listed name', { org_mapping: 'a=b' }, { db: 'm' }, { orgs: '["a"]' }, 403],
    ['one organization for all', {}, { db: 'm' }, { orgs: '["other"]' }, 503],
  ])('%s', async (_case, mapping, query, authorizer, expected) => {
    expect(await status(mapping, query, authorizer)).toBe(expected);
  });
});
