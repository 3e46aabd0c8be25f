/** What the OpenAPI documents of loads and migrations share. */
import { z } from 'zod';

export const executionStateSchema = z
  .enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'])
  .describe('The status of the execution in Step Functions.');

/** When an execution started and ended, and why it failed. */
export const executionTimes = {
  started: z.iso.datetime().nullable(),
  ended: z.iso.datetime().nullable(),
};
export const executionFailure = {
  error: z.string().optional().describe('The name of the error that ended the execution.'),
  cause: z.string().optional(),
};

/** The schemas as components of a document, by name. */
export function components(schemas: Readonly<Record<string, z.ZodType>>): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.keys(schemas).map((id) => {
      const { $schema, $id, ...schema } = made[id] ?? {};
      return [id, schema];
    }),
  );
}

/** A JSON body with the schema of a component. */
export const content = (name: string) => ({
  'application/json': { schema: { $ref: `#/components/schemas/${name}` } },
});
export const response = (description: string, name: string) => ({ description, content: content(name) });

export const FAILURES = {
  '403': { description: 'The request is not signed, or its signer may not call this path.' },
  '500': response('An internal error; the log of the function has the details.', 'Error'),
};

interface Info {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

/** The document of an API of the stack, whose requests are signed. */
export function document(info: Info, paths: object, schemas: Readonly<Record<string, z.ZodType>>): object {
  return {
    openapi: '3.1.0',
    info: { ...info, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [
      {
        url: '{endpoint}',
        variables: { endpoint: { default: '/', description: 'The output Endpoint of the stack.' } },
      },
    ],
    security: [{ signature: [] }],
    paths,
    components: {
      schemas: components(schemas),
      securitySchemes: {
        signature: {
          type: 'apiKey',
          name: 'Authorization',
          in: 'header',
          description: 'AWS Signature Version 4 with the service execute-api.',
          'x-amazon-apigateway-authtype': 'awsSigv4',
        },
      },
    },
  };
}
