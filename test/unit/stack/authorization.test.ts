/** Who gets in: tokens, networks and the web ACL, as the template has them. */
import type { CredentialSource } from 'shared/tokens/presented';
import { createAuthorizer } from '../../../functions/authorize-token/authorize';
import { recordingLogger } from '../../support/influx-writing';
import {
  apiWith,
  at,
  byType,
  type Fields,
  LOADER,
  type Overrides,
  operationsWith,
  outputsWith,
  resourcesWith,
  statementsWith,
  TOKENS,
} from './template';

const named = (operations: ReturnType<typeof operationsWith>): string[] =>
  operations.map(([method, path]) => `${method} ${path}`).sort();

const securedBy = (scheme: string, parameters: Overrides): string[] =>
  named(operationsWith(parameters).filter(([, , { security }]) => at(security, 0, scheme) !== undefined));

describe('AuthMode TOKEN', () => {
  const BOTH = { ...TOKENS, ...LOADER };
  const SIGNED = ['GET /loads/health', 'GET /loads/{id}', 'POST /loads'];

  test('asks for a token wherever the connector answers, and for a signature to load', () => {
    expect(securedBy('sigv4', BOTH)).toEqual(SIGNED);
    expect([...securedBy('token', BOTH), ...securedBy('headerToken', BOTH)].sort()).toEqual(
      named(operationsWith(BOTH)).filter((each) => !SIGNED.includes(each)),
    );
  });

  test('keeps verdicts by the header where v2 clients write alone, which the authorizer decides by the header alone', async () => {
    expect(securedBy('headerToken', BOTH)).toEqual(['ANY /api/v2/write', 'POST /api/v2/write']);
    const scheme = at(apiWith(TOKENS), 'DefinitionBody', 'components', 'securitySchemes', 'headerToken') as Fields;
    expect(scheme['x-amazon-apigateway-authorizer']).toEqual({
      type: 'request',
      identitySource: 'method.request.header.Authorization',
      authorizerUri: expect.stringContaining('/functions/<AuthorizeTokenFunction.Arn>/invocations'),
      authorizerResultTtlInSeconds: '60',
    });
    const seen: CredentialSource[] = [];
    const verify = (source: CredentialSource) => Promise.resolve(void seen.push(source));
    const authorize = createAuthorizer(
      { verify },
      { ...recordingLogger(), addContext: () => undefined, appendKeys: () => undefined },
    );
    const event = {
      methodArn: 'arn:aws:execute-api:r:1:a/dev/POST/x',
      headers: { a: 'b' },
      queryStringParameters: { p: 'c' },
    };
    for (const [, resource] of operationsWith(BOTH)) {
      await expect(authorize({ ...event, resource })).rejects.toThrow('Unauthorized');
      const isCached = resource === '/api/v2/write';
      expect(seen.pop()).toEqual({ headers: { a: 'b' }, queryStringParameters: isCached ? null : { p: 'c' } });
    }
  });

  test('with PublicHealth opens /ping alone', () => {
    const open = operationsWith({ ...BOTH, PublicHealth: 'true' }).filter(
      ([, , { security }]) => at(security, 0) === undefined,
    );
    expect(named(open)).toEqual(['ANY /ping', 'GET /ping', 'HEAD /ping']);
  });

  test('keeps no other verdict and demands no header, so that tokens in the query get in', () => {
    const scheme = at(apiWith(TOKENS), 'DefinitionBody', 'components', 'securitySchemes', 'token') as Fields;
    expect(scheme['x-amazon-apigateway-authtype']).toBe('custom');
    expect(scheme['x-amazon-apigateway-authorizer']).toEqual({
      type: 'request',
      authorizerUri: expect.stringContaining('/functions/<AuthorizeTokenFunction.Arn>/invocations'),
      authorizerResultTtlInSeconds: 0,
    });
  });

  test("reaches the stage's deployment when it is switched on", () => {
    expect(apiWith(TOKENS).AlwaysDeploy).toBe(true);
  });

  test('adds the authorizer, its log, its role and the permission to invoke it for this API alone', () => {
    const added = Object.keys(resourcesWith(TOKENS)).filter((name) => !(name in resourcesWith()));
    expect(added.sort()).toEqual([
      'AuthorizeTokenApiPermission',
      'AuthorizeTokenFunction',
      'AuthorizeTokenLogGroup',
      'AuthorizeTokenRole',
    ]);
    expect(resourcesWith(TOKENS).AuthorizeTokenApiPermission?.Properties).toMatchObject({
      FunctionName: '<AuthorizeTokenFunction>',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: expect.stringMatching(/:<ConnectorApi>\/authorizers\/\*$/),
    });
  });

  test('the authorizer may read the one secret, and write its log', () => {
    const statements = statementsWith(TOKENS, 'AuthorizeTokenRole').map(({ Effect, Action, Resource }) => ({
      Effect,
      Action,
      Resource,
    }));
    expect(statements).toEqual([
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: '<AuthorizeTokenLogGroup.Arn>',
      },
      {
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        // Secrets Manager ends each ARN with six characters of its own.
        Resource: expect.stringMatching(
          /:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:connector\/tokens-\?{6}$/,
        ),
      },
    ]);
  });

  test('the authorizer knows the name of the secret, and no function holds a token', () => {
    const { AuthorizeTokenFunction } = resourcesWith(TOKENS);
    expect(at(AuthorizeTokenFunction?.Properties, 'Environment', 'Variables')).toEqual({
      token_secret_name: TOKENS.TokenSecretName,
      log_level: 'INFO',
    });
  });
});

test('with AuthMode IAM every operation is signed, and there is no authorizer', () => {
  expect(securedBy('sigv4', LOADER)).toEqual(named(operationsWith(LOADER)));
  expect(Object.keys(at(apiWith(), 'DefinitionBody', 'components', 'securitySchemes') as Fields)).toEqual(['sigv4']);
});

describe('the resource policy', () => {
  const statements = (parameters: Overrides): Fields[] | undefined =>
    at(apiWith(parameters), 'DefinitionBody', 'x-amazon-apigateway-policy', 'Statement') as Fields[] | undefined;
  const EVERYTHING = { Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' };
  const PRIVATE = { EndpointType: 'PRIVATE', AllowedVpcEndpointIds: 'vpce-0a,vpce-0b' };
  const CIDRS = { AllowedCidrs: '192.0.2.0/24,2001:db8::/32' };
  const RANGES = ['192.0.2.0/24', '2001:db8::/32'];

  test('is not there without a parameter that asks for it', () => {
    expect(statements({})).toBeUndefined();
    expect(apiWith().EndpointConfiguration).toEqual({ Type: 'REGIONAL' });
  });

  test('refuses other addresses', () => {
    expect(statements(CIDRS)).toEqual([
      {
        Sid: 'DenyOtherAddresses',
        Effect: 'Deny',
        ...EVERYTHING,
        Condition: { NotIpAddress: { 'aws:SourceIp': RANGES } },
      },
    ]);
  });

  test('of a private API refuses other endpoints, and other addresses behind them', () => {
    const endpoints = ['vpce-0a', 'vpce-0b'];
    expect(apiWith(PRIVATE).EndpointConfiguration).toEqual({ Type: 'PRIVATE', VPCEndpointIds: endpoints });
    expect(statements({ ...PRIVATE, ...CIDRS })).toEqual([
      {
        Sid: 'DenyOtherVpcEndpoints',
        Effect: 'Deny',
        ...EVERYTHING,
        Condition: { StringNotEquals: { 'aws:SourceVpce': endpoints } },
      },
      {
        Sid: 'DenyOtherAddresses',
        Effect: 'Deny',
        ...EVERYTHING,
        Condition: { NotIpAddress: { 'aws:VpcSourceIp': RANGES } },
      },
    ]);
  });

  test.each([
    [{ ...PRIVATE, ...CIDRS }, []],
    [{ ...PRIVATE, ...CIDRS, ...TOKENS }, []],
    [{ PublicHealth: 'true' }, []],
    [{ ...CIDRS, PublicHealth: 'true' }, ['execute-api:/*/*/ping']],
    [{ CorsAllowedOrigins: '*' }, []],
    [{ ...CIDRS, CorsAllowedOrigins: '*' }, ['execute-api:/*/OPTIONS/*']],
  ])('allows nothing by itself but an open /ping and preflights: %p', (parameters, allowed) => {
    const allows = (statements(parameters) ?? []).filter(({ Effect }) => Effect !== 'Deny');
    expect(allows.map(({ Resource }) => Resource)).toEqual(allowed);
  });
});

test('a web ACL is associated with the stage, where there is one', () => {
  const WebAclArn = 'arn:aws:wafv2:us-east-1:123456789012:regional/webacl/acl/1234';
  expect(byType(resourcesWith(), 'AWS::WAFv2::WebACLAssociation')).toEqual([]);
  expect(resourcesWith({ WebAclArn }).ConnectorApiWebAcl?.Properties).toEqual({
    ResourceArn: expect.stringMatching(
      /:apigateway:<AWS::Region>::\/restapis\/<ConnectorApi>\/stages\/<ConnectorApi.Stage>$/,
    ),
    WebACLArn: WebAclArn,
  });
});

describe('CorsAllowedOrigins', () => {
  const CORS = { CorsAllowedOrigins: 'https://app.example.com' };
  const preflights = (parameters: Overrides) => operationsWith(parameters).filter(([method]) => method === 'OPTIONS');

  test.each([CORS, { ...CORS, ...TOKENS }, { ...CORS, ...LOADER }])(
    'lets preflights of the connector reach the function without authorization, and no other request: %p',
    (parameters) => {
      expect(named(preflights(parameters))).toEqual([
        'OPTIONS /api/v2/write',
        'OPTIONS /health',
        'OPTIONS /ping',
        'OPTIONS /ready',
        'OPTIONS /write',
      ]);
      const open = operationsWith(parameters).filter(([, , { security }]) => at(security, 0) === undefined);
      expect(named(open)).toEqual(named(preflights(parameters)));
    },
  );

  test('is off by default: a preflight is a request like any other', () => {
    expect(preflights({})).toEqual([]);
    expect(preflights(TOKENS)).toEqual([]);
  });

  test.each([
    [{}, undefined],
    [CORS, "'*'"],
    [{ CorsAllowedOrigins: 'https://a.example,https://b.example' }, "'*'"],
  ])('%p: answers of API Gateway itself, which are fixed, can be read by pages of %p', (parameters, expected) => {
    const responses = Object.values(apiWith(parameters).GatewayResponses as Fields);
    const origins = responses.map((each) => at(each, 'ResponseParameters', 'Headers', 'Access-Control-Allow-Origin'));
    expect(new Set(origins)).toEqual(new Set([expected]));
  });
});

test('who may write by IAM may write by v1 and v2, and ask for /ping, /health and /ready, and may not load', () => {
  /** As IAM matches an action's resource. */
  const allows = (arns: unknown, path: string): boolean =>
    String(arns)
      .split(',')
      .map((arn) => new RegExp(`^${arn.replace(/.*<ConnectorApi>\/dev\//, '').replaceAll('*', '.*')}$`))
      .some((pattern) => pattern.test(path));
  const { WriteResourceArn: write, HealthResourceArns: health } = outputsWith(LOADER);
  for (const path of ['POST/api/v2/write', 'POST/write']) expect(allows(write, path)).toBe(true);
  for (const path of ['GET/ping', 'HEAD/ping', 'GET/health', 'HEAD/health', 'GET/ready', 'HEAD/ready']) {
    expect(allows(health, path)).toBe(true);
    expect(allows(write, path)).toBe(false);
  }
  for (const path of ['POST/loads', 'GET/loads/x', 'GET/loads/health']) {
    expect([allows(write, path), allows(health, path)]).toEqual([false, false]);
  }
});
