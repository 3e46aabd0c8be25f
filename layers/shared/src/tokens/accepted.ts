/** The tokens that are accepted: what a secret may look like, and how a presented token is compared with them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { ConfigurationError } from '../errors';
import type { TokenScope } from './scope';

export interface AcceptedToken {
  /** The token's SHA-256; the token itself is not kept. */
  readonly digest: Buffer;
  /** For the access log: as the secret has it, or `token-<position>`, from 1. */
  readonly name: string;
  readonly scope: TokenScope;
}

// Each schema has a message of its own: zod's would quote names of unknown fields, and a token may stand where a name belongs.
export const TOKEN_FORM = 'must be a text of printable ASCII characters without spaces';
export const TOKEN_PATTERN = /^[\x21-\x7e]+$/;
const NAMES_FORM = 'must be a list of at least one name; without it, every one is allowed';
const NAME_FORM = 'must be 1 to 64 letters, digits, ".", "_" or "-"';

const names = z.array(z.string(NAMES_FORM).min(1, NAMES_FORM), NAMES_FORM).min(1, NAMES_FORM).optional();
// Strict, since a misspelt `buckets` would allow every bucket.
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
  'must be an object of token and, if need be, name, buckets and orgs, and nothing else',
);
const listSchema = z.strictObject(
  { tokens: z.array(tokenSchema, 'must be a list').min(1, 'must hold a token') },
  'must hold tokens and nothing else',
);

/**
 * The tokens in a secret's text: the token itself, `{"token": ...}`, or `{"tokens": [{"token", "name"?, "buckets"?, "orgs"?}]}`.
 * @throws ConfigurationError that lists every problem, and shows nothing of the secret
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
    throw new ConfigurationError([`accepted tokens: tokens.${repeated} has the token of another one`]);
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
    throw new ConfigurationError(['accepted tokens: the text begins with {, but is no JSON']);
  }
}

/** The accepted token that equals one of those presented. The time it takes tells nothing of how much of one was right, or which. */
export function findToken(accepted: readonly AcceptedToken[], presented: readonly string[]): AcceptedToken | undefined {
  let found: AcceptedToken | undefined;
  for (const digest of presented.map(digestOf)) {
    for (const token of accepted) if (timingSafeEqual(token.digest, digest)) found ??= token;
  }
  return found;
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();
