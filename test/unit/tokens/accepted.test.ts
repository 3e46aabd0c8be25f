import { acceptedTokens, findToken } from 'shared/tokens/accepted';

const found = (secret: string, ...presented: string[]): string | undefined =>
  findToken(acceptedTokens(secret), presented)?.name;

test.each([
  ['the token alone', 'abc==', 'abc=='],
  ['the token alone, with white space around it', '  abc\n', 'abc'],
  ['a JSON object', '{"token":"abc"}', 'abc'],
  ['a list of one', '{"tokens":[{"token":"abc"}]}', 'abc'],
])('%s', (_form, secret, token) => {
  expect(found(secret, token)).toBe('token-1');
  expect(found(secret, `${token}x`)).toBeUndefined();
  expect(found(secret)).toBeUndefined();
});

test('every token of a list is good, by its name or position, also beside a wrong one', () => {
  const secret = '{"tokens":[{"token":"old"},{"token":"new","name":"telegraf"},{"token":"newer"}]}';
  expect(found(secret, 'old')).toBe('token-1');
  expect(found(secret, 'new')).toBe('telegraf');
  expect(found(secret, 'wrong', 'newer')).toBe('token-3');
  expect(found(secret, 'wrong')).toBeUndefined();
});

test('a token has its buckets and organizations, or no bounds', () => {
  const tokens = acceptedTokens(
    '{"tokens":[{"token":"a","buckets":["b","c"],"orgs":["o"]},{"token":"b","orgs":["o"]},{"token":"c"}]}',
  );
  expect(tokens.map(({ scope }) => scope)).toEqual([{ buckets: ['b', 'c'], orgs: ['o'] }, { orgs: ['o'] }, {}]);
  expect(acceptedTokens('{"token":"a","buckets":["b"]}').map(({ scope }) => scope)).toEqual([{ buckets: ['b'] }]);
});

test('the token itself is not kept', () => {
  expect(JSON.stringify(acceptedTokens('{"tokens":[{"token":"hush-hush"}]}'))).not.toContain('hush');
});

test.each([
  ['', /printable ASCII/],
  ['hush hush', /printable ASCII/],
  ['{hush', /no JSON/],
  ['{}', /token must be a text/],
  ['{"token":""}', /token must be a text/],
  ['{"token":1}', /token must be a text/],
  ['{"token":"hush","bucket":["b"]}', /nothing else/],
  ['{"hush":"token"}', /token must be a text/],
  ['{"tokens":[]}', /tokens must hold a token/],
  ['{"tokens":{"hush":1}}', /tokens must be a list/],
  ['{"tokens":["hush"]}', /tokens\.0 must be an object/],
  ['{"tokens":[{"token":"hush"}],"token":"hush"}', /nothing else/],
  [
    '{"tokens":[{"token":"a"},{"token":"hush","bucket":["b"]}]}',
    /tokens\.1 must be an object of token .* nothing else/,
  ],
  ['{"tokens":[{"token":"a","hush":1}]}', /tokens\.0 must be an object/],
  ['{"tokens":[{"token":"a","buckets":[]}]}', /tokens\.0\.buckets must be a list of at least one name/],
  ['{"tokens":[{"token":"a","buckets":"hush"}]}', /tokens\.0\.buckets must be a list/],
  ['{"tokens":[{"token":"a","orgs":[""]}]}', /tokens\.0\.orgs\.0 must be a list/],
  ['{"tokens":[{"token":"a","name":"hush hush"}]}', /tokens\.0\.name must be/],
  ['{"tokens":[{"token":"hush"},{"token":"hush"}]}', /tokens\.1 has the token of another one/],
])('no tokens in %j, and the message does not show it', (secret, reason) => {
  expect(() => acceptedTokens(secret)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
  expect(() => acceptedTokens(secret)).toThrow(reason);
  expect(() => acceptedTokens(secret)).not.toThrow('hush');
});
