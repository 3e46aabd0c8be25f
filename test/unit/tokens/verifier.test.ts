import { FRESH_MS, READ_INTERVAL_MS, STALE_MS, TokenVerifier } from 'shared/tokens/verifier';
import { recordingLogger } from '../../support/influx-writing';

/** A verifier with a secret and a clock that the test can change. */
function verifierOf(first: string | Error) {
  const state = { secret: first, now: 1_700_000_000_000, reads: 0 };
  const logger = recordingLogger();
  const read = () => {
    state.reads += 1;
    return state.secret instanceof Error ? Promise.reject(state.secret) : Promise.resolve(state.secret);
  };
  const verifier = new TokenVerifier(read, logger, { now: () => state.now });
  const accepts = async (token: string): Promise<boolean> =>
    (await verifier.verify({ headers: { Authorization: `Token ${token}` } })) !== undefined;
  return { state, logger, verifier, accepts };
}

const GONE = new Error('ResourceNotFoundException');

test('reads the secret at the first request, once for concurrent requests, and caches it', async () => {
  const { state, accepts } = verifierOf('right');
  expect(await Promise.all([accepts('right'), accepts('right'), accepts('right')])).toEqual([true, true, true]);
  state.now += FRESH_MS - 1;
  expect(await accepts('right')).toBe(true);
  expect(state.reads).toBe(1);
});

test('does not read the secret for a request without a token', async () => {
  const { state, verifier } = verifierOf('right');
  expect(await verifier.verify({ headers: { Authorization: 'AWS4-HMAC-SHA256 Credential=x' } })).toBeUndefined();
  expect(state.reads).toBe(0);
});

test('refuses a removed token after at most a minute', async () => {
  const { state, accepts } = verifierOf('old');
  expect(await accepts('old')).toBe(true);
  state.secret = 'new';
  state.now += FRESH_MS;
  expect(await accepts('old')).toBe(false);
});

test('reads the secret again for an unknown token, but not more often than the minimum interval', async () => {
  const { state, accepts } = verifierOf('old');
  expect(await accepts('old')).toBe(true);
  state.secret = '{"tokens":[{"token":"old"},{"token":"new"}]}';
  state.now += READ_INTERVAL_MS - 1;
  expect(await accepts('new')).toBe(false);
  expect(state.reads).toBe(1);
  state.now += 1;
  expect(await accepts('new')).toBe(true);
  for (let n = 0; n < 100; n++) expect(await accepts(`guess-${n}`)).toBe(false);
  expect(state.reads).toBe(2);
});

test.each([GONE, '{"tokens":[]}'])('uses the cached secret for five minutes if the secret becomes %p', async (gone) => {
  const { state, accepts, logger } = verifierOf('right');
  expect(await accepts('right')).toBe(true);
  state.secret = gone;
  state.now += STALE_MS - 1;
  expect(await accepts('right')).toBe(true);
  expect(logger.entries.map(({ message }) => message)).toEqual(['the secret of the tokens cannot be read']);
  state.now += 1;
  await expect(accepts('right')).rejects.toMatchObject({ name: 'TokensUnavailableError' });
  await expect(accepts('wrong')).rejects.toMatchObject({ name: 'TokensUnavailableError' });
});

test('retries a failed read after the minimum interval, not at once', async () => {
  const { state, accepts } = verifierOf(GONE);
  await expect(accepts('right')).rejects.toMatchObject({ name: 'TokensUnavailableError', cause: GONE });
  state.secret = 'right';
  await expect(accepts('right')).rejects.toMatchObject({ name: 'TokensUnavailableError' });
  expect(state.reads).toBe(1);
  state.now += READ_INTERVAL_MS;
  expect(await accepts('right')).toBe(true);
});

test('reads the secret again if the clock was set back', async () => {
  const { state, accepts } = verifierOf('old');
  expect(await accepts('old')).toBe(true);
  state.secret = 'new';
  state.now -= 1;
  expect(await accepts('old')).toBe(false);
});

test('aborts a read that hangs', async () => {
  let signal: AbortSignal | undefined;
  const hang = (given: AbortSignal): Promise<string> => {
    signal = given;
    return new Promise(() => undefined);
  };
  const verifier = new TokenVerifier(hang, recordingLogger(), { limitMs: 1 });
  await expect(verifier.verify({ queryStringParameters: { p: 'x' } })).rejects.toThrow('cannot be read');
  expect(signal?.aborted).toBe(true);
});
