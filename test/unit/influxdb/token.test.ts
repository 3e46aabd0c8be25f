import { secretToken, staticToken, tokenIn } from 'shared/influxdb/token';

test.each([
  ['abc==', 'abc=='],
  ['  abc\n', 'abc'],
  ['{"token":"abc"}', 'abc'],
  [' {"org": "x", "token": "abc"} ', 'abc'],
])('reads the token from %j', (secret, token) => {
  expect(tokenIn(secret)).toBe(token);
});

test.each([
  '',
  '  ',
  '{}',
  '{"token":""}',
  '{"token":1}',
  '{"username":"a","password":"hush"}',
  '{broken hush',
  'hush hush',
])('finds no token in %j, and does not show the secret in the message', (secret) => {
  expect(() => tokenIn(secret)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
  expect(() => tokenIn(secret)).not.toThrow('hush');
});

test('reads the secret once for concurrent calls', async () => {
  let fetches = 0;
  const tokens = secretToken(() => Promise.resolve(`t${++fetches}`));
  expect(await Promise.all([tokens.get(), tokens.get(), tokens.get()])).toEqual(['t1', 't1', 't1']);
  expect(await tokens.get()).toBe('t1');
});

test('reads the secret once again after a token was rejected, for all callers', async () => {
  let fetches = 0;
  const tokens = secretToken(() => Promise.resolve(`t${++fetches}`));
  const known = await tokens.get();
  expect(await Promise.all([tokens.renew(known), tokens.renew(known), tokens.renew(known)])).toEqual([
    't2',
    't2',
    't2',
  ]);
  expect(await tokens.renew('t1')).toBe('t2');
  expect(await tokens.get()).toBe('t2');
  expect(fetches).toBe(2);
});

test('returns no new token if the secret has not changed', async () => {
  const tokens = secretToken(() => Promise.resolve('same'));
  expect(await tokens.renew(await tokens.get())).toBeUndefined();
  expect(await staticToken('same').renew('same')).toBeUndefined();
});

test('throws a connection error if the secret cannot be read, and reads it again at the next use', async () => {
  const responses = [Promise.reject(new Error('AccessDenied')), Promise.resolve('t')];
  const tokens = secretToken(() => responses.shift() ?? Promise.reject(new Error('too often')));
  await expect(tokens.get()).rejects.toMatchObject({
    name: 'InfluxDBConnectionError',
    message: 'cannot read the secret of the InfluxDB token: AccessDenied',
  });
  expect(await tokens.get()).toBe('t');
});

test('aborts a call that hangs', async () => {
  let signal: AbortSignal | undefined;
  const tokens = secretToken((given) => {
    signal = given;
    return new Promise(() => undefined);
  }, 1);
  await expect(tokens.get()).rejects.toThrow('no response within');
  expect(signal?.aborted).toBe(true);
});
