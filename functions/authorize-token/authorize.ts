/** From a request event of API Gateway to the authorizer's verdict. */
import type { APIGatewayAuthorizerResult, Context } from 'aws-lambda';
import { InvalidEventError } from 'shared/errors';
import type { FunctionLogger } from 'shared/logger';
import type { CredentialSource } from 'shared/tokens/presented';
import { scopeContext } from 'shared/tokens/scope';
import type { TokenVerifier } from 'shared/tokens/verifier';

/** What of the event is looked at. Source: "Input to an API Gateway Lambda authorizer" in the API Gateway developer guide. */
interface AuthorizerEvent extends CredentialSource {
  /** `arn:...:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>` */
  readonly methodArn?: unknown;
  /** The path as the API's definition has it. */
  readonly resource?: unknown;
}

/** Verdicts on its requests are kept by the header alone, which alone may decide therefore. */
const DECIDED_BY_HEADER = '/api/v2/write';

/**
 * The function: lets a request with an accepted token into the whole stage, with the token's name and scope. A refused one is an
 * error with the very message that makes API Gateway answer 401; any other error makes it answer as if the authorizer had failed.
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
        logger.error('the request can be neither let in nor refused', { error });
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

/** @throws InvalidEventError where the event is none of a request authorizer */
function wholeStage(methodArn: unknown): string {
  const arn = typeof methodArn === 'string' ? methodArn : '';
  const [, stage] = /^(arn:[^/]+:execute-api:[^/]+\/[^/]+)\//.exec(arn) ?? [];
  if (stage !== undefined) return `${stage}/*`;
  throw withoutStack(
    new InvalidEventError('the event must be that of a request authorizer of API Gateway, with its methodArn'),
  );
}

/** The runtime writes what is thrown into the log. */
function withoutStack(error: unknown): unknown {
  if (error instanceof Error) error.stack = `${error.name}: ${error.message}`;
  return error;
}
