/**
 * Required by the Node.js of each deployed function (NODE_OPTIONS): appends what it asks of AWS and what is answered, a JSON object
 * a line, to the file CALLS_FILE. It reads along and changes nothing.
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
      if (chunk === null) appendFileSync(CALLS_FILE, `${JSON.stringify({ ...call, ...answer(response, body) })}\n`);
      else if (response.statusCode >= 400) body += chunk;
      return push.call(response, chunk, encoding);
    };
  });
}

/** The protocols name it in a header, in the path or in the query; some calls of Lambda and S3 are known by their form alone. */
function operationOf(service, request) {
  const [, target] = /\.(\w+)$/.exec(String(request.getHeader('x-amz-target'))) ?? [];
  const [, named] = /(?:\/operation\/|[?&]x-id=)(\w+)/.exec(request.path) ?? [];
  if (target ?? named) return target ?? named;
  if (service === 'lambda' && request.path.endsWith('/invocations')) return 'Invoke';
  if (service === 's3' && request.method === 'HEAD') return 'HeadObject';
  if (service === 's3' && request.path.includes('list-type=2')) return 'ListObjectsV2';
  return `${request.method} ${request.path}`;
}

function answer({ statusCode, headers }, body) {
  const error = /AccessDenied\w*/.exec(`${headers['x-amzn-errortype']} ${body}`)?.[0];
  return { status: statusCode, denied: error !== undefined || statusCode === 401 || statusCode === 403 };
}
