/** The context that Lambda passes to a handler beside the event. */
import type { Context } from 'aws-lambda';

export const LAMBDA_CONTEXT = {
  awsRequestId: 'request-1',
  functionName: 'function',
  functionVersion: '1',
  memoryLimitInMB: '1769',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:function',
  getRemainingTimeInMillis: () => 900_000,
} as Context;
