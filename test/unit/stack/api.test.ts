import { bucketSchema } from 'shared/loads/objects';
import { apiWith, at, type Fields, LOADER, operationsWith, resourcesWith } from './template';

/** The functions behind the operations of the loader; those of all others are the write function's. */
const LOADER_OPERATIONS: Readonly<Record<string, string>> = {
  'POST /loads': 'StartLoad',
  'GET /loads/{id}': 'DescribeLoad',
  'GET /loads/health': 'CheckInfluxDB',
};

test('a parameter that changes the definition reaches the stage', () => {
  expect(apiWith().AlwaysDeploy).toBe(true);
});

test('binary bodies arrive as they were sent', () => {
  expect(apiWith().BinaryMediaTypes).toEqual(['*/*']);
});

test('the endpoint is regional and refuses TLS below 1.2', () => {
  expect(apiWith()).toMatchObject({
    EndpointConfiguration: { Type: 'REGIONAL' },
    SecurityPolicy: 'SecurityPolicy_TLS13_1_2_2021_06',
  });
});

test('the stage throttles every method itself, and logs no bodies', () => {
  const parameters = { WriteThrottlingBurstLimit: '7', WriteThrottlingRateLimit: '5' };
  expect(apiWith(parameters).MethodSettings).toEqual([
    {
      ResourcePath: '/*',
      HttpMethod: '*',
      ThrottlingBurstLimit: '7',
      ThrottlingRateLimit: '5',
      LoggingLevel: 'OFF',
      DataTraceEnabled: false,
      MetricsEnabled: false,
    },
  ]);
});

test.each(['true', 'false'])('the access log is JSON without query, headers or body; account role %s', (role) => {
  const setting = apiWith({ CreateApiGatewayAccountRole: role }).AccessLogSetting;
  const entry: Record<string, string> = JSON.parse(String(at(setting, 'Format')));
  expect(at(setting, 'DestinationArn')).toBe('<RestApiGatewayLogGroup.Arn>');
  expect(Object.values(entry).sort()).toEqual([
    '$context.authorizer.principalId',
    '$context.error.responseType',
    '$context.httpMethod',
    '$context.identity.caller',
    '$context.identity.sourceIp',
    '$context.identity.user',
    '$context.integrationLatency',
    '$context.path',
    '$context.protocol',
    '$context.requestId',
    '$context.requestTime',
    '$context.responseLatency',
    '$context.responseLength',
    '$context.status',
  ]);
});

describe('operations', () => {
  test('are the endpoints of InfluxDB, and ANY for all else, which the function answers', () => {
    const served = operationsWith().map(([method, path]) => `${method} ${path}`);
    const paths = [...new Set(operationsWith().map(([, path]) => path))];
    expect(served.filter((operation) => !operation.startsWith('ANY')).sort()).toEqual([
      'GET /health',
      'GET /ping',
      'GET /ready',
      'HEAD /health',
      'HEAD /ping',
      'HEAD /ready',
      'POST /api/v2/write',
      'POST /write',
    ]);
    expect(paths).toEqual(expect.arrayContaining(['/', '/{proxy+}']));
    for (const path of paths) expect(served).toContain(`ANY ${path}`);
  });

  test('of loads come with the loader', () => {
    const without = operationsWith().map(([method, path]) => `${method} ${path}`);
    const added = operationsWith(LOADER).map(([method, path]) => `${method} ${path}`);
    expect(added.filter((operation) => !without.includes(operation)).sort()).toEqual([
      'ANY /loads',
      'ANY /loads/health',
      'ANY /loads/{id}',
      'GET /loads/health',
      'GET /loads/{id}',
      'POST /loads',
    ]);
  });

  test.each(operationsWith({ ...LOADER, RestApiGatewayTimeoutInMillis: '1234' }))(
    '%s %s reaches its function',
    (method, path, operation) => {
      const name = LOADER_OPERATIONS[`${method} ${path}`] ?? 'WriteLineProtocol';
      expect(operation['x-amazon-apigateway-integration']).toEqual({
        type: 'aws_proxy',
        httpMethod: 'POST',
        uri: expect.stringContaining(`/functions/<${name}Function.Arn>/invocations`),
        timeoutInMillis: '1234',
      });
    },
  );

  test.each(Object.entries(LOADER_OPERATIONS))(
    'the API may invoke the function of %s, and for it alone',
    (of, name) => {
      expect(resourcesWith()).not.toHaveProperty(`${name}ApiPermission`);
      const [method, path] = of.replace('{id}', '*').split(' ');
      expect(resourcesWith(LOADER)[`${name}ApiPermission`]?.Properties).toMatchObject({
        FunctionName: `<${name}Function>`,
        Principal: 'apigateway.amazonaws.com',
        SourceArn: expect.stringMatching(
          new RegExp(`<ConnectorApi>/dev/${method}${path}`.replace('*', '\\*').concat('$')),
        ),
      });
    },
  );

  test('POST /loads refuses a body that is no load', () => {
    const [, , start] = operationsWith(LOADER).find(([method, path]) => `${method} ${path}` === 'POST /loads') ?? [];
    const definition = apiWith(LOADER).DefinitionBody;
    expect(at(start, 'x-amazon-apigateway-request-validator')).toBe('body');
    expect(at(definition, 'x-amazon-apigateway-request-validators', 'body', 'validateRequestBody')).toBe(true);
    expect(at(start, 'requestBody', 'content', 'application/json', 'schema')).toEqual({
      $ref: '#/components/schemas/Load',
    });
    const bucket = at(definition, 'components', 'schemas', 'Load', 'properties', 'bucket') as { maxLength: number };
    const isTaken = (length: number) =>
      bucketSchema.safeParse('arn:aws:s3:us-east-1:123456789012:accesspoint/'.padEnd(length, 'a')).success;
    expect([isTaken(bucket.maxLength), isTaken(bucket.maxLength + 1)]).toEqual([true, false]);
    const sources = at(definition, 'components', 'schemas', 'Load', 'oneOf') as Fields[];
    expect(sources.map(({ required }) => required)).toEqual([
      ['bucket', 'key'],
      ['bucket', 'prefix'],
      ['bucket', 'keys'],
      ['plan'],
    ]);
  });

  test.each(operationsWith(LOADER))('%s %s is signed', (_method, _path, operation) => {
    expect(operation.security).toEqual([{ sigv4: [] }]);
  });

  test('PublicHealth opens /ping alone', () => {
    const open = operationsWith({ PublicHealth: 'true' }).filter(([, , { security }]) => at(security, 0) === undefined);
    expect(open.map(([method, path]) => `${method} ${path}`).sort()).toEqual(['ANY /ping', 'GET /ping', 'HEAD /ping']);
  });

  test('sigv4 is IAM authorization', () => {
    expect(
      at(apiWith(), 'DefinitionBody', 'components', 'securitySchemes', 'sigv4', 'x-amazon-apigateway-authtype'),
    ).toBe('awsSigv4');
  });

  test('the API may invoke the function, on its own stage', () => {
    expect(resourcesWith().ConnectorApiPermission?.Properties).toMatchObject({
      FunctionName: '<WriteLineProtocolFunction>',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: expect.stringMatching(/:<ConnectorApi>\/dev\/\*$/),
    });
  });
});

describe('gateway responses', () => {
  const EXPECTED: [string, number | undefined, string, boolean][] = [
    ['THROTTLED', 429, 'too many requests', true],
    ['REQUEST_TOO_LARGE', 413, 'request too large', false],
    ['INTEGRATION_FAILURE', 503, 'unavailable', true],
    ['INTEGRATION_TIMEOUT', 503, 'unavailable', true],
    ['BAD_REQUEST_BODY', 400, 'invalid', false],
    ['UNAUTHORIZED', 401, 'unauthorized', false],
    ['ACCESS_DENIED', 403, 'forbidden', false],
    ['WAF_FILTERED', 403, 'forbidden', false],
    ['AUTHORIZER_FAILURE', 503, 'unavailable', true],
    ['AUTHORIZER_CONFIGURATION_ERROR', 503, 'unavailable', true],
    ['DEFAULT_5XX', undefined, 'internal error', false],
  ];

  test('are these, and MISSING_AUTHENTICATION_TOKEN stays as it is', () => {
    expect(Object.keys(apiWith().GatewayResponses ?? {}).sort()).toEqual(EXPECTED.map(([type]) => type).sort());
  });

  test.each(EXPECTED)('%s is %p, InfluxDB\'s "%s"; to be sent again: %p', (type, status, code, again) => {
    const response = at(apiWith(), 'GatewayResponses', type);
    const template = String(at(response, 'ResponseTemplates', 'application/json'));
    // Messages of AWS name IAM users and policies.
    expect(template.replaceAll('$context.requestId', '')).not.toContain('$');
    const body = JSON.parse(template);
    const headers = at(response, 'ResponseParameters', 'Headers') as Fields;

    expect(at(response, 'StatusCode')).toBe(status);
    expect(body).toEqual({ code, message: expect.any(String) });
    expect(headers['X-Platform-Error-Code']).toBe(`'${code}'`);
    expect('Retry-After' in headers).toBe(again);
    // The Go client takes these phrases for success.
    expect(template).not.toMatch(/partial write|unable to parse|points beyond retention policy|hinted handoff queue/);
  });
});
