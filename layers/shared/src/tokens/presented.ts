/** The tokens that a request presents, in every form that InfluxDB clients use. */

/** The parts of an API Gateway event that may contain a token. They are not validated. */
export interface CredentialSource {
  /** Names may be in any case. */
  readonly headers?: Readonly<Record<string, unknown>> | null;
  /** Decoded parameters. */
  readonly queryStringParameters?: Readonly<Record<string, unknown>> | null;
}

/**
 * The candidates for a token, at most two: from the header `Authorization` (the schemes Token and Bearer, or the password of the
 * scheme Basic), and from the query parameter `p`. User names are ignored.
 * Source: "Authenticate API requests" and "InfluxDB 1.x compatibility API" in the documentation of InfluxDB 2.
 */
export function presentedTokens({ headers, queryStringParameters }: CredentialSource): string[] {
  const name = Object.keys(headers ?? {}).find((each) => each.toLowerCase() === 'authorization');
  const header = name === undefined ? undefined : headers?.[name];
  const candidates = [typeof header === 'string' ? headerToken(header) : undefined, queryStringParameters?.p];
  return candidates.filter((token): token is string => typeof token === 'string' && token !== '');
}

/** The token in the value of an Authorization header; undefined for another scheme or no scheme. */
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

/** The password is the text after the first colon. Source: RFC 7617. */
function password(base64: string): string | undefined {
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(colon + 1);
}
