/** docs/permissions.md: what each role of the stack may do, and with which parameters. */
import { phrasesOf, type When } from './conditions';
import { code, NOTICE, table } from './markdown';
import { at, type Fields, isFields, listed, type Resource, type Template, type Value } from './template';

/** A value below `!If`s, and the conditions under which it is used. */
interface Variant {
  readonly value: Value;
  readonly when: When;
}

interface Row {
  readonly actions: string;
  readonly resources: string;
  readonly when: When;
}

const WHO = [
  ['who deploys', '[iam/deploy.json](iam/deploy.json), for a stack with the default name; replace region and account'],
  [
    'who writes',
    '[iam/write.json](iam/write.json): `execute-api:Invoke` on the output `WriteResourceArn`; or a [token](security.md#tokens)',
  ],
  ['who queries', '[iam/query.json](iam/query.json): `timestream:Select` on the tables'],
  [
    'who loads',
    '`execute-api:Invoke` on the output `LoadResourceArn`, or `states:StartExecution` on `BulkLoadStateMachineArn`',
  ],
  [
    'who migrates',
    '`execute-api:Invoke` on the output `MigrationResourceArn`, or `states:StartExecution` on `MigrateStateMachineArn`',
  ],
  ['the functions', 'the roles below, which the stack creates'],
];

export function permissionsPage(template: Template): string {
  const roles = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
  const sections = roles.map(([name, role]) => section(template, name, role));
  return `${['# Permissions', NOTICE, table(['who', 'policy'], WHO), '## Roles of the stack', ...sections].join('\n\n')}\n`;
}

function section(template: Template, name: string, role: Resource): string {
  const known = phrasesOf(template, role.Condition === undefined ? [] : [role.Condition]);
  const rows = [...ownRows(role), ...rowsBeside(template, name)].map(({ actions, resources, when }) => {
    const phrases = phrasesOf(template, when).filter((phrase) => !known.includes(phrase));
    return [actions, resources, phrases.join(', ') || 'always'];
  });
  const created = known.length > 0 ? `Created ${known.join(' and ')}.\n\n` : '';
  return `### ${name}\n\n${created}${table(['actions', 'resources', 'when'], rows)}`;
}

function ownRows({ Properties }: Resource): Row[] {
  const managed = variants(Properties.ManagedPolicyArns ?? []).map(({ value, when }) => {
    const policy = textOf(value).split('/').at(-1) ?? '';
    return { actions: `the AWS managed policy ${code(policy)}`, resources: code('*'), when };
  });
  return [...variants(Properties.Policies ?? []).flatMap((policy) => policyRows(policy)), ...managed];
}

/** Of the policies that are resources of their own. */
function rowsBeside({ Resources }: Template, role: string): Row[] {
  const policies = Object.values(Resources).filter(({ Type }) => Type === 'AWS::IAM::Policy');
  return policies.flatMap(({ Properties, Condition }) =>
    variants(Properties.Roles ?? [])
      .filter(({ value }) => at(value, 'Ref') === role)
      .flatMap(({ when }) =>
        policyRows({ value: Properties, when: Condition === undefined ? when : [Condition, ...when] }),
      ),
  );
}

function policyRows(policy: Variant): Row[] {
  return variants(at(policy.value, 'PolicyDocument', 'Statement') ?? []).flatMap((statement) => {
    const { Action = [], Resource = [], Condition } = statement.value as Fields;
    const limit = Condition === undefined ? '' : ` (${limitText(Condition)})`;
    return byConditions(Action).flatMap((actions) =>
      byConditions(Resource).map((resources) => ({
        actions: actions.texts.map(code).join(', '),
        resources: resources.texts.map((text) => code(short(text))).join(', ') + limit,
        when: [...policy.when, ...statement.when, ...actions.when, ...resources.when],
      })),
    );
  });
}

/** The texts of a list, together where they have the same conditions. */
function byConditions(value: Value): { texts: string[]; when: When }[] {
  const groups = new Map<string, { texts: string[]; when: When }>();
  for (const { value: text, when } of variants(value)) {
    const group = groups.get(when.join()) ?? { texts: [], when };
    group.texts.push(textOf(text));
    groups.set(when.join(), group);
  }
  return [...groups.values()];
}

/** The items of a list, or the one value, each with the conditions of the `!If`s above and in it. */
function variants(value: Value): Variant[] {
  if (Array.isArray(value)) return value.flatMap(variants);
  if (at(value, 'Ref') === 'AWS::NoValue') return [];
  const [condition, yes = [], no = []] = [at(value, 'Fn::If') ?? []].flat();
  if (condition !== undefined) return [...under(String(condition), yes), ...under(`!${condition}`, no)];
  const [template, variables] = [at(value, 'Fn::Sub', 0), at(value, 'Fn::Sub', 1)];
  if (typeof template !== 'string' || !isFields(variables)) return [{ value, when: [] }];
  return Object.entries(variables).reduce<Variant[]>(
    (texts, [name, variable]) =>
      texts.flatMap((text) =>
        variants(variable).map((part) => ({
          value: textOf(text.value).replace(`\${${name}}`, textOf(part.value)),
          when: [...text.when, ...part.when],
        })),
      ),
    [{ value: template, when: [] }],
  );
}

const under = (condition: string, value: Value): Variant[] =>
  variants(value).map((variant) => ({ value: variant.value, when: [condition, ...variant.when] }));

/** A value as text, with `${Name}` for what only a deployment knows. @throws for a function that is not known here */
function textOf(value: Value): string {
  if (!isFields(value)) return String(value);
  const [[name, argument] = ['', '']] = Object.entries(value);
  switch (name) {
    case 'Ref':
      return `\${${argument}}`;
    case 'Fn::GetAtt':
      return `\${${listed(argument).join('.')}}`;
    case 'Fn::Sub':
      return String(argument);
    case 'Fn::Join':
      return [at(argument, 1) ?? []]
        .flat()
        .map(textOf)
        .join(String(at(argument, 0)));
    case 'Fn::Split':
      return textOf(at(argument, 1) ?? '');
    default:
      throw new Error(`${name} is not known here`);
  }
}

/** A resource without partition, region and account; `<Name>` is a parameter or a resource of the template. */
const short = (text: string): string =>
  text
    .replace(/^arn:\$\{AWS::Partition\}:([\w-]+):(?:\$\{AWS::Region\})?:(?:\$\{AWS::AccountId\})?:/, '$1:')
    .replace(/\$\{(?:AWS::)?([\w.]+?)(?:\.Arn)?\}/g, '<$1>');

const limitText = (condition: Value): string =>
  Object.values(condition as Fields)
    .flatMap((entries) => Object.entries(entries as Fields))
    .map(
      ([key, value]) =>
        `${code(key)} ${variants(value)
          .map((part) => code(short(textOf(part.value))))
          .join(', ')}`,
    )
    .join(', ');
