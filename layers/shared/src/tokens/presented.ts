/** The tokens that a request presents, in every form in which clients of InfluxDB send one. */

/** What of a request may hold a token: as in the events of API Gateway, of which nothing is taken for granted. */
export interface CredentialSource {
  /** Names in any case. */
  readonly headers?: Readonly<Record<string, unknown>> | null;
  /** Decoded. */
  readonly queryStringParameters?: Readonly<Record<string, unknown>> | null;
}

/**
 * The texts that may be a token, which none to two are: of the header `Authorization` (schemes Token and Bearer, and Basic, whose
 * password is the token) and of the query parameter `p`. User names mean nothing.
 * Source: "Authenticate API requests" and "InfluxDB 1.x compatibility API" in the documentation of InfluxDB 2.
 */
export function presentedTokens({ headers, queryStringParameters }: CredentialSource): string[] {
  const name = Object.keys(headers ?? {}).find((each) => each.toLowerCase() === 'authorization');
  const header = name === undefined ? undefined : headers?.[name];
  const candidates = [typeof header === 'string' ? headerToken(header) : undefined, queryStringParameters?.p];
  return candidates.filter((token): token is string => typeof token === 'string' && token !== '');
}

/** The token in the value of an Authorization header; undefined where it has another scheme, or none. */
function headerToken(header: string): string | undefined {
  const text = header.trim();
  const end = text.search(/[ \t]/);
  if (end === -1) return undefined;
  const credentials = text.slice(end).trim();
  switch (text.slice(0, end).toLowerCase()) {
    case 'token':
    case 'bearer':
      return credentials;
    case 'basic':
      return password(credentials);
    default:
      return undefined;
  }
}

/** What follows the first colon. Source: RFC 7617. */
function password(base64: string): string | undefined {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(colon + 1);
}
