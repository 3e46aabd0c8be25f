/** The permissions that the functions' calls need, and the further permissions of their roles. */

/** Permissions whose name differs from the operation. Source: "Service authorization reference". */
const PERMISSIONS: Readonly<Record<string, string>> = {
  's3:HeadObject': 's3:GetObject',
  's3:ListObjectsV2': 's3:ListBucket',
  'lambda:Invoke': 'lambda:InvokeFunction',
};
/** Names of services in permissions that differ from those in signatures. */
const PREFIXES: Readonly<Record<string, string>> = { monitoring: 'cloudwatch' };

/** The permission for an operation. @param service its name in signatures */
export function permissionFor(service: string, operation: string): string {
  const action = `${PREFIXES[service] ?? service}:${operation}`;
  return PERMISSIONS[action] ?? action;
}

/** Permissions beyond the calls of the functions' own code, with reasons. */
export const UNCALLED: Readonly<Record<string, string>> = {
  'logs:CreateLogStream': 'Lambda writes the function’s log with its role',
  'logs:PutLogEvents': 'Lambda writes the function’s log with its role',
  'WriteLineProtocol timestream:TagResource': 'CreateDatabase and CreateTable need it for their tags',
  'WriteLineProtocol kms:DescribeKey': 'Timestream uses the database’s key on behalf of the function',
  'WriteLineProtocol kms:CreateGrant': 'Timestream uses the database’s key on behalf of the function',
  'WriteLineProtocol kms:Decrypt': 'Timestream uses the database’s key on behalf of the function',
  'LoadObject sqs:SendMessage': 'Lambda puts failed events into the dead-letter queue with the function’s role',
  'LoadObject sqs:ReceiveMessage': 'Lambda polls the queue of notifications with the function’s role',
  'LoadObject sqs:DeleteMessage': 'Lambda polls the queue of notifications with the function’s role',
  'LoadObject sqs:ChangeMessageVisibility': 'Lambda polls the queue of notifications with the function’s role',
  'LoadObject sqs:GetQueueAttributes': 'Lambda polls the queue of notifications with the function’s role',
  'LoadObject s3:ListBucket':
    'S3 returns 404 instead of 403 for a missing object only to roles that may list the bucket',
  'RedriveDeadLetters s3:ListBucket':
    'S3 returns 404 instead of 403 for a missing object only to roles that may list the bucket',
};
