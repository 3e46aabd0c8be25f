/** Decides whether API Gateway allows a request: turns an authorizer event into a policy. */
import type { APIGatewayAuthorizerResult, Context } from 'aws-lambda';
import { InvalidEventError } from 'shared/errors';
import type { FunctionLogger } from 'shared/logger';
import type { CredentialSource } from 'shared/tokens/presented';
import { scopeContext } from 'shared/tokens/scope';
import type { TokenVerifier } from 'shared/tokens/verifier';

/** The parts of the event that are read. Source: "Input to an API Gateway Lambda authorizer" in the API Gateway developer guide. */
interface AuthorizerEvent extends CredentialSource {
  /** `arn:...:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>` */
  readonly methodArn?: unknown;
  /** The path as the definition of the API states it. */
  readonly resource?: unknown;
}

/** API Gateway caches the results for this path by the Authorization header only, so only the header may decide. */
const DECIDED_BY_HEADER = '/api/v2/write';

/**
 * The function: authorizes a request with an accepted token for the whole stage, and returns the token's name and scope. For any
 * other token it throws an error with the message `Unauthorized`, which makes API Gateway return 401. On any other error API
 * Gateway reports that the authorizer failed.
 */
export function createAuthorizer(
  verifier: Pick<TokenVerifier, 'verify'>,
  logger: FunctionLogger,
): (event: unknown, context?: Context) => Promise<APIGatewayAuthorizerResult> {
  return async (event, context) => {
    if (context !== undefined) logger.addContext(context);
    const request = (event ?? {}) as AuthorizerEvent;
    const Resource = wholeStage(request.methodArn);
    const { headers, queryStringParameters, resource } = request;
    const query = resource === DECIDED_BY_HEADER ? null : (queryStringParameters ?? null);
    const token = await verifier
      .verify({ headers: headers ?? null, queryStringParameters: query })
      .catch((error: unknown) => {
        logger.error('the token could not be verified', { error });
        throw withoutStack(error);
      });
    if (token === undefined) throw withoutStack(new Error('Unauthorized'));
    return {
      principalId: token.name,
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource }],
      },
      context: scopeContext(token.scope),
    };
  };
}

/** @throws InvalidEventError if this is not a REQUEST-authorizer event */
function wholeStage(methodArn: unknown): string {
  const arn = typeof methodArn === 'string' ? methodArn : '';
  const [, stage] = /^(arn:[^/]+:execute-api:[^/]+\/[^/]+)\//.exec(arn) ?? [];
  if (stage !== undefined) return `${stage}/*`;
  throw withoutStack(
    new InvalidEventError('the event must be a REQUEST authorizer event of API Gateway, with a methodArn'),
  );
}

/** Lambda writes a thrown error, with its stack, into the log. */
function withoutStack(error: unknown): unknown {
  if (error instanceof Error) error.stack = `${error.name}: ${error.message}`;
  return error;
}
