/**
 * Loaded by the Node.js of each deployed function (NODE_OPTIONS): appends each call to AWS with its status to the file CALLS_FILE, one
 * JSON object per line. It changes no request or response.
 */
const { appendFileSync } = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');
const { subscribe } = require('node:diagnostics_channel');

const { CALLS_FILE, AWS_LAMBDA_FUNCTION_NAME } = process.env;

if (CALLS_FILE && AWS_LAMBDA_FUNCTION_NAME) {
  for (const module of [net, tls]) module.connect = recording(module.connect);
  subscribe('http.client.response.finish', ({ request, response }) => {
    const service = serviceOf(request.getHeader('authorization'));
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

/** The scope of the signature names the service. */
function serviceOf(authorization) {
  return /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(String(authorization))?.[1];
}

/**
 * Records the calls of the connector's own HTTP client. It reads into a buffer (`onread`), writes a head as one text, and a connection
 * has one call at a time. Heads and bodies of failures are short, so they come in one piece.
 */
function recording(connect) {
  return (options, ...rest) => {
    if (options?.onread === undefined) return connect(options, ...rest);
    let call;
    const callback = (length, buffer) => {
      const text = buffer.toString('latin1', 0, length);
      const [, statusCode] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
      if (call !== undefined && statusCode !== undefined) {
        const outcome = outcomeOf({ statusCode: Number(statusCode), headers: {} }, text);
        appendFileSync(CALLS_FILE, `${JSON.stringify({ ...call, ...outcome })}\n`);
        call = undefined;
      }
      return options.onread.callback(length, buffer);
    };
    const socket = connect({ ...options, onread: { ...options.onread, callback } }, ...rest);
    const { write } = socket;
    socket.write = (chunk, ...more) => {
      const service = typeof chunk === 'string' ? serviceOf(chunk) : undefined;
      const [, operation] = /^x-amz-target: \w+\.(\w+)/m.exec(service === undefined ? '' : chunk) ?? [];
      if (service !== undefined) call = { function: AWS_LAMBDA_FUNCTION_NAME, service, operation };
      return write.call(socket, chunk, ...more);
    };
    return socket;
  };
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
