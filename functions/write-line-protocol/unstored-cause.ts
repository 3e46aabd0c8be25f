/** Texts that tell a client why its points are not stored and what to do. They repeat no text of the service, which may disclose internals. */

const CREDENTIALS =
  "Timestream does not accept the connector's credentials: check its role or access keys, and the clock of its machine";
const CLOCK = 'Timestream does not accept the time of the requests: correct the clock of the machine';
const CERTIFICATE = 'the certificate of the Timestream endpoint is not trusted: check the endpoint and its CA';
const NETWORK = 'Timestream cannot be reached: check the endpoint, the region and the network';

/** By error type of AWS or error code of Node.js. A retry alone does not help in these cases. */
const CAUSES: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'Timestream denies access: check the permissions of the connector, and whether the account can use Timestream for LiveAnalytics (it is closed to accounts that did not use it before 2025-06-20)',
  OptInRequired: 'the account is not signed up for Timestream',
  SubscriptionRequiredException: 'the account is not signed up for Timestream',
  ServiceQuotaExceededException:
    'a quota of the AWS account is exhausted: request an increase, or delete unused resources',
  InvalidEndpointException: 'Timestream does not accept the endpoint that it assigned: check the region',
  UnrecognizedClientException: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  IncompleteSignature: CREDENTIALS,
  IncompleteSignatureException: CREDENTIALS,
  MissingAuthenticationToken: CREDENTIALS,
  MissingAuthenticationTokenException: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  CredentialsProviderError: CREDENTIALS,
  RequestExpired: CLOCK,
  RequestInTheFuture: CLOCK,
  RequestTimeTooSkewed: CLOCK,
  DEPTH_ZERO_SELF_SIGNED_CERT: CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: CERTIFICATE,
  CERT_HAS_EXPIRED: CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID: CERTIFICATE,
  ENOTFOUND: NETWORK,
  EAI_AGAIN: NETWORK,
  ECONNREFUSED: NETWORK,
  EHOSTUNREACH: NETWORK,
  ENETUNREACH: NETWORK,
};

/** The cause that somebody must fix before points can be stored; undefined if sending them again may help. */
export function permanentCause(code: string | undefined): string | undefined {
  if (code === undefined || !Object.hasOwn(CAUSES, code)) return undefined;
  return `${CAUSES[code]} (${code})`;
}
