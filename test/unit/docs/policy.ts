/** The example policies in docs/iam, and what they allow. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listed, type Value } from '../stack/template';

export interface Statement {
  readonly Sid: string;
  readonly Action: Value;
  readonly Resource: Value;
}

export function readPolicy(name: string): readonly Statement[] {
  const text = readFileSync(join(__dirname, '../../../docs/iam', `${name}.json`), 'utf8');
  return (JSON.parse(text) as { Statement: Statement[] }).Statement;
}

const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(text);

/** Whether one statement names the action and the resource. Actions without a resource need `*`. */
export const allows = (policy: readonly Statement[], action: string, resource: string): boolean =>
  policy.some(
    ({ Action, Resource }) =>
      listed(Action).some((pattern) => matches(pattern, action)) &&
      listed(Resource).some((pattern) => matches(pattern, resource)),
  );
