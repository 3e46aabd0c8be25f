/**
 * Loaded by the Node.js of each deployed function (NODE_OPTIONS): appends each call to AWS with its status to the file CALLS_FILE, one
 * JSON object per line. It changes no request or response. The connector's calls to Timestream go past node:http and are not recorded: the
 * embedded Timestream checks no role, and tests let it deny calls.
 */
const { appendFileSync } = require('node:fs');
const { subscribe } = require('node:diagnostics_channel');

const { CALLS_FILE, AWS_LAMBDA_FUNCTION_NAME } = process.env;

if (CALLS_FILE && AWS_LAMBDA_FUNCTION_NAME) {
  subscribe('http.client.response.finish', ({ request, response }) => {
    // The scope of the signature names the service.
    const [, service] =
      /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(String(request.getHeader('authorization'))) ?? [];
    if (service === undefined) return;
    const call = { function: AWS_LAMBDA_FUNCTION_NAME, service, operation: operationOf(service, request) };
    let body = '';
    const push = response.push;
    response.push = (chunk, encoding) => {
      if (chunk === null) appendFileSync(CALLS_FILE, `${JSON.stringify({ ...call, ...outcomeOf(response, body) })}\n`);
      else if (response.statusCode >= 400) body += chunk;
      return push.call(response, chunk, encoding);
    };
  });
}

/** Protocols name the operation in a header, the path or the query; some calls of Lambda and S3 are recognized by method and path. */
function operationOf(service, request) {
  const [, target] = /\.(\w+)$/.exec(String(request.getHeader('x-amz-target'))) ?? [];
  const [, named] = /(?:\/operation\/|[?&]x-id=)(\w+)/.exec(request.path) ?? [];
  if (target ?? named) return target ?? named;
  if (service === 'lambda' && request.path.endsWith('/invocations')) return 'Invoke';
  if (service === 's3' && request.method === 'HEAD') return 'HeadObject';
  if (service === 's3' && request.path.includes('list-type=2')) return 'ListObjectsV2';
  return `${request.method} ${request.path}`;
}

function outcomeOf({ statusCode, headers }, body) {
  const error = /AccessDenied\w*/.exec(`${headers['x-amzn-errortype']} ${body}`)?.[0];
  return { status: statusCode, denied: error !== undefined || statusCode === 401 || statusCode === 403 };
}
