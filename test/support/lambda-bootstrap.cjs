/** Runs a handler as Lambda's Node.js runtime does: loads it, takes events from the Runtime API, posts their results. */
const { request } = require('node:http');
const path = require('node:path');

const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER } = process.env;
const [host, port] = AWS_LAMBDA_RUNTIME_API.split(':');

function call(method, route, value) {
  return new Promise((resolve, reject) => {
    const message = request({ host, port, method, path: `/2018-06-01/runtime/${route}` }, async (response) => {
      let body = '';
      for await (const text of response.setEncoding('utf8')) body += text;
      resolve({ headers: response.headers, body });
    });
    message.on('error', reject);
    message.end(value === undefined ? undefined : JSON.stringify(value));
  });
}

const describe = (error) => ({ errorType: error.name, errorMessage: error.message });

async function run() {
  const [file, name] = _HANDLER.split('.');
  let handler;
  try {
    handler = require(path.join(LAMBDA_TASK_ROOT, file))[name];
  } catch (error) {
    await call('POST', 'init/error', describe(error));
    process.exit(1);
  }
  for (;;) {
    const { headers, body } = await call('GET', 'invocation/next');
    const awsRequestId = headers['lambda-runtime-aws-request-id'];
    const deadline = Number(headers['lambda-runtime-deadline-ms']);
    const context = {
      awsRequestId,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      memoryLimitInMB: '128',
      getRemainingTimeInMillis: () => deadline - Date.now(),
    };
    try {
      const result = await handler(JSON.parse(body), context);
      await call('POST', `invocation/${awsRequestId}/response`, result ?? null);
    } catch (error) {
      await call('POST', `invocation/${awsRequestId}/error`, describe(error));
    }
  }
}

void run();
