/** Who gets in: tokens, networks and the web ACL, as the template has them. */
import {
  apiWith,
  at,
  byType,
  type Fields,
  LOADER,
  type Overrides,
  operationsWith,
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
    expect(securedBy('token', BOTH)).toEqual(named(operationsWith(BOTH)).filter((each) => !SIGNED.includes(each)));
  });

  test('with PublicHealth opens /ping alone', () => {
    const open = operationsWith({ ...BOTH, PublicHealth: 'true' }).filter(
      ([, , { security }]) => at(security, 0) === undefined,
    );
    expect(named(open)).toEqual(['ANY /ping', 'GET /ping', 'HEAD /ping']);
  });

  test('keeps no verdict and demands no header, so that tokens in the query get in', () => {
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
  expect(at(apiWith(), 'DefinitionBody', 'components', 'securitySchemes')).not.toHaveProperty('token');
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
  ])('allows nothing by itself but an open /ping: %p', (parameters, allowed) => {
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
