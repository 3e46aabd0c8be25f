/** The accepted tokens: the formats of the secret that lists them, and the comparison with a presented token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ConfigurationError } from '../errors';
import type { TokenScope } from './scope';

export interface AcceptedToken {
  /** The token's SHA-256; the token itself is not kept. */
  readonly digest: Buffer;
  /** The name in the secret, or `token-<position>`, from 1; for the access log. */
  readonly name: string;
  readonly scope: TokenScope;
}

// Each schema has its own message. The messages of zod quote unknown field names, and a misplaced token could be such a name.
export const TOKEN_FORM = 'must be a string of printable ASCII characters without spaces';
export const TOKEN_PATTERN = /^[\x21-\x7e]+$/;
const NAMES_FORM = 'must be a list of at least one name; omit it to allow all';
const NAME_FORM = 'must be 1 to 64 letters, digits, ".", "_" or "-"';

const names = z.array(z.string(NAMES_FORM).min(1, NAMES_FORM), NAMES_FORM).min(1, NAMES_FORM).optional();
// Strict, because a misspelled `buckets` would allow every bucket.
const tokenSchema = z.strictObject(
  {
    token: z.string(TOKEN_FORM).regex(TOKEN_PATTERN, TOKEN_FORM),
    name: z
      .string(NAME_FORM)
      .regex(/^[\w.-]{1,64}$/, NAME_FORM)
      .optional(),
    buckets: names,
    orgs: names,
  },
  'must be an object with token and, optionally, name, buckets and orgs, and nothing else',
);
const listSchema = z.strictObject(
  { tokens: z.array(tokenSchema, 'must be a list').min(1, 'must contain at least one token') },
  'must contain tokens and nothing else',
);

/**
 * Reads the tokens in the text of a secret: a plain token, `{"token": ...}`, or
 * `{"tokens": [{"token", "name"?, "buckets"?, "orgs"?}]}`.
 * @throws ConfigurationError that lists every problem and contains no part of the secret
 */
export function acceptedTokens(secret: string): AcceptedToken[] {
  const text = secret.trim();
  const value = text.startsWith('{') ? parsed(text) : { token: text };
  const isList = typeof value === 'object' && value !== null && 'tokens' in value;
  const result = isList ? listSchema.safeParse(value) : tokenSchema.safeParse(value);
  if (!result.success) {
    throw new ConfigurationError(
      result.error.issues.map(({ path, message }) => `accepted tokens: ${[path.join('.'), message].join(' ').trim()}`),
    );
  }
  const tokens = 'tokens' in result.data ? result.data.tokens : [result.data];
  const repeated = tokens.findIndex(({ token }, index) => tokens.findIndex((other) => other.token === token) < index);
  if (repeated !== -1) {
    throw new ConfigurationError([`accepted tokens: tokens.${repeated} repeats the token of an earlier entry`]);
  }
  return tokens.map(({ token, name, ...scope }, index) => {
    return { digest: digestOf(token), name: name ?? `token-${index + 1}`, scope };
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new ConfigurationError(['accepted tokens: the text begins with { but is not valid JSON']);
  }
}

/** The accepted token that equals a presented token. Takes the same time whichever token matches, and however much of it. */
export function findToken(accepted: readonly AcceptedToken[], presented: readonly string[]): AcceptedToken | undefined {
  let found: AcceptedToken | undefined;
  for (const digest of presented.map(digestOf)) {
    for (const token of accepted) if (timingSafeEqual(token.digest, digest)) found ??= token;
  }
  return found;
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();
