import { acceptedTokens, findToken } from 'shared/tokens/accepted';

const found = (secret: string, ...presented: string[]): string | undefined =>
  findToken(acceptedTokens(secret), presented)?.name;

test.each([
  ['a plain token', 'abc==', 'abc=='],
  ['a plain token with white space around it', '  abc\n', 'abc'],
  ['a JSON object', '{"token":"abc"}', 'abc'],
  ['a list of one token', '{"tokens":[{"token":"abc"}]}', 'abc'],
])('reads a secret that is %s', (_form, secret, token) => {
  expect(found(secret, token)).toBe('token-1');
  expect(found(secret, `${token}x`)).toBeUndefined();
  expect(found(secret)).toBeUndefined();
});

test('finds every token of a list by name or position, also if a wrong token is presented too', () => {
  const secret = '{"tokens":[{"token":"old"},{"token":"new","name":"telegraf"},{"token":"newer"}]}';
  expect(found(secret, 'old')).toBe('token-1');
  expect(found(secret, 'new')).toBe('telegraf');
  expect(found(secret, 'wrong', 'newer')).toBe('token-3');
  expect(found(secret, 'wrong')).toBeUndefined();
});

test('reads the buckets and organizations of a token, which are optional', () => {
  const tokens = acceptedTokens(
    '{"tokens":[{"token":"a","buckets":["b","c"],"orgs":["o"]},{"token":"b","orgs":["o"]},{"token":"c"}]}',
  );
  expect(tokens.map(({ scope }) => scope)).toEqual([{ buckets: ['b', 'c'], orgs: ['o'] }, { orgs: ['o'] }, {}]);
  expect(acceptedTokens('{"token":"a","buckets":["b"]}').map(({ scope }) => scope)).toEqual([{ buckets: ['b'] }]);
});

test('does not keep the token itself', () => {
  expect(JSON.stringify(acceptedTokens('{"tokens":[{"token":"hush-hush"}]}'))).not.toContain('hush');
});

test.each([
  ['', /printable ASCII/],
  ['hush hush', /printable ASCII/],
  ['{hush', /not valid JSON/],
  ['{}', /token must be a string/],
  ['{"token":""}', /token must be a string/],
  ['{"token":1}', /token must be a string/],
  ['{"token":"hush","bucket":["b"]}', /nothing else/],
  ['{"hush":"token"}', /token must be a string/],
  ['{"tokens":[]}', /tokens must contain at least one token/],
  ['{"tokens":{"hush":1}}', /tokens must be a list/],
  ['{"tokens":["hush"]}', /tokens\.0 must be an object/],
  ['{"tokens":[{"token":"hush"}],"token":"hush"}', /nothing else/],
  [
    '{"tokens":[{"token":"a"},{"token":"hush","bucket":["b"]}]}',
    /tokens\.1 must be an object with token .* nothing else/,
  ],
  ['{"tokens":[{"token":"a","hush":1}]}', /tokens\.0 must be an object/],
  ['{"tokens":[{"token":"a","buckets":[]}]}', /tokens\.0\.buckets must be a list of at least one name/],
  ['{"tokens":[{"token":"a","buckets":"hush"}]}', /tokens\.0\.buckets must be a list/],
  ['{"tokens":[{"token":"a","orgs":[""]}]}', /tokens\.0\.orgs\.0 must be a list/],
  ['{"tokens":[{"token":"a","name":"hush hush"}]}', /tokens\.0\.name must be/],
  ['{"tokens":[{"token":"hush"},{"token":"hush"}]}', /tokens\.1 repeats the token of an earlier entry/],
])('refuses the secret %j with a message that does not contain it', (secret, reason) => {
  expect(() => acceptedTokens(secret)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
  expect(() => acceptedTokens(secret)).toThrow(reason);
  expect(() => acceptedTokens(secret)).not.toThrow('hush');
});
