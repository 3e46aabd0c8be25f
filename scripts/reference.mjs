/** The pages of docs/ that template.yml decides: parameters and outputs, and what each role may do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pair, parse, YAMLMap } from 'yaml';

const ROOT = join(import.meta.dirname, '..');
const NOTICE = '<!-- Generated from template.yml by `npm run generate`. -->';

/** @returns {Record<string, string>} the text of each page by its path below the project's root */
export function referencePages() {
  const template = readTemplate();
  return { 'docs/parameters.md': parametersPage(template), 'docs/permissions.md': permissionsPage(template) };
}

function parametersPage({ Parameters, Outputs, Metadata }) {
  const { ParameterGroups } = Metadata['AWS::CloudFormation::Interface'] ?? { ParameterGroups: [] };
  const groups = ParameterGroups.map(({ Label, Parameters: names }) => {
    const rows = names.map((name) => {
      const { Default, Description, AllowedValues } = Parameters[name];
      const values = AllowedValues ? ` One of ${AllowedValues.map(code).join(', ')}.` : '';
      return [code(name), Default === '' ? '' : code(Default), `${Description}${values}`];
    });
    return `## ${Label.default}\n\n${table(['parameter', 'default', 'meaning'], rows)}`;
  });
  const outputs = Object.entries(Outputs).map(([name, { Description, Condition }]) => [
    code(name),
    `${Description}${Condition ? ` Only ${when(readTemplate(), Condition)}.` : ''}`,
  ]);
  return [
    '# Parameters and outputs',
    NOTICE,
    'Set parameters with `sam deploy --parameter-overrides DatabaseName=metrics MemStoreRetentionPeriod=24`, or in `samconfig.toml`\n' +
      '([deploy](deploy.md#parameters-for-several-environments)). The local programs take the same settings as options\n' +
      '([command line](command-line.md)).',
    ...groups,
    `## Outputs\n\n${table(['output', 'meaning'], outputs)}`,
  ].join('\n\n');
}

function permissionsPage(template) {
  const roles = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
  const beside = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::IAM::Policy');
  const sections = roles.map(([name, { Properties, Condition }]) => {
    const own = (Properties.Policies ?? []).flatMap((policy) => statements(template, policy, []));
    const others = beside
      .filter(({ Properties: { Roles } }) => Roles.some(({ Ref }) => Ref === name))
      .flatMap((policy) => statements(template, policy.Properties, []));
    const managed = [...(Properties.ManagedPolicyArns ?? [])].flatMap((arn) => managedRows(template, arn, []));
    const rows = [...own, ...others, ...managed];
    const condition = Condition ? `Created ${when(template, Condition)}.\n\n` : '';
    return `### ${name}\n\n${condition}${table(['actions', 'resource', 'when'], rows)}`;
  });
  return [
    '# Permissions',
    NOTICE,
    table(
      ['who', 'policy'],
      [
        [
          'who deploys',
          '[iam/deploy.json](iam/deploy.json), for a stack of the default name; replace region and account',
        ],
        [
          'who writes',
          '[iam/write.json](iam/write.json): `execute-api:Invoke` on the output `WriteResourceArn`; or a [token](security.md#tokens)',
        ],
        ['who queries', '[iam/query.json](iam/query.json): `timestream:Select` on the tables'],
        [
          'who loads',
          '`execute-api:Invoke` on the output `LoadResourceArn`, or `states:StartExecution` on `BulkLoadStateMachineArn`',
        ],
        ['the functions', 'the roles below, which the stack creates'],
      ],
    ),
    '## Roles of the stack',
    ...sections,
  ].join('\n\n');
}

/** Rows of a policy, which may stand below `!If`. */
function statements(template, policy, conditions) {
  if (policy['Fn::If']) return eachBranch(template, policy['Fn::If'], conditions, statements);
  if (policy.Ref === 'AWS::NoValue') return [];
  return policy.PolicyDocument.Statement.flatMap((statement) => statementRows(template, statement, conditions));
}

function statementRows(template, statement, conditions) {
  if (statement['Fn::If']) return eachBranch(template, statement['Fn::If'], conditions, statementRows);
  if (statement.Ref === 'AWS::NoValue') return [];
  const plain = [];
  const optional = [];
  for (const action of [statement.Action].flat()) {
    if (typeof action === 'string') plain.push(action);
    else {
      const [condition, name] = action['Fn::If'];
      optional.push([code(name), resources(statement.Resource), [...conditions, condition]]);
    }
  }
  const narrowed = statement.Condition ? ` (${conditionText(statement.Condition)})` : '';
  const all =
    plain.length > 0 ? [[plain.map(code).join(', '), resources(statement.Resource) + narrowed, conditions]] : [];
  return [...all, ...optional].map(([actions, resource, names]) => [
    actions,
    resource,
    typeof names === 'string' ? names : names.map((name) => when(template, name)).join(', ') || 'always',
  ]);
}

function managedRows(template, arn, conditions) {
  if (arn['Fn::If']) return eachBranch(template, arn['Fn::If'], conditions, managedRows);
  if (arn.Ref === 'AWS::NoValue') return [];
  const name = resourceText(arn).replaceAll('`', '').split('/').at(-1);
  return [
    [`AWS's ${code(name)}`, '`*`', conditions.map((condition) => when(template, condition)).join(', ') || 'always'],
  ];
}

function eachBranch(template, [condition, yes, no], conditions, rows) {
  return [...rows(template, yes, [...conditions, condition]), ...rows(template, no, [...conditions, `!${condition}`])];
}

function resources(resource) {
  return [resource]
    .flat()
    .flatMap((item) => branches(item))
    .map((item) => resourceText(item))
    .join(', ');
}

/** Every value that an `!If` may take. */
function branches(value) {
  if (value?.Ref === 'AWS::NoValue') return [];
  if (!value?.['Fn::If']) return [value].flat();
  const [, yes, no] = value['Fn::If'];
  return [...[yes].flat().flatMap(branches), ...[no].flat().flatMap(branches)];
}

/** A resource in short: without partition, region and account. */
function resourceText(value) {
  return code(
    text(value)
      .replace(/arn:\$\{AWS::Partition\}:(\w[\w-]*):(?:\$\{AWS::Region\})?:(?:\$\{AWS::AccountId\})?:/, '$1:')
      .replace(/\$\{([\w.]+?)(?:\.Arn)?\}/g, '<$1>'),
  );
}

/** What a value of the template stands for, with `${Name}` for what only a deployment knows. */
function text(value) {
  if (typeof value === 'string') return value;
  const [name, argument] = Object.entries(value)[0];
  const list = [argument].flat();
  switch (name) {
    case 'Ref':
      return `\${${argument}}`;
    case 'Fn::GetAtt':
      return `\${${list.join('.')}}`;
    case 'Fn::If':
      return branches(value).map(text).join(' or ');
    case 'Fn::Join':
      return [list[1]].flat().map(text).join(list[0]);
    case 'Fn::Split':
      return text(list[1]);
    case 'Fn::Sub':
      return Object.entries(list[1] ?? {}).reduce(
        (whole, [key, part]) => whole.replace(`\${${key}}`, text(part)),
        list[0],
      );
    default:
      throw new Error(`${name} is not known here`);
  }
}

function conditionText(condition) {
  return Object.values(condition)
    .flatMap((entries) => Object.entries(entries))
    .map(([key, value]) => `${code(key)} ${resources(value)}`)
    .join(', ');
}

/** A condition of the template in words, by the parameter that it looks at. */
function when(template, name) {
  if (name.startsWith('!')) return `unless ${when(template, name.slice(1)).replace(/^with /, '')}`;
  return conditionWords(template, template.Conditions[name]) ?? `if ${name}`;
}

function conditionWords(template, value) {
  if (value.Condition) return when(template, value.Condition);
  if (value['Fn::And']) return value['Fn::And'].map((part) => conditionWords(template, part)).join(' and ');
  if (value['Fn::Or']) return value['Fn::Or'].map((part) => conditionWords(template, part)).join(' or ');
  if (value['Fn::Equals']) {
    const [{ Ref }, expected] = value['Fn::Equals'];
    return `with ${code(`${Ref}=${expected}`)}`;
  }
  const equals = value['Fn::Not']?.[0]?.['Fn::Equals'];
  if (!equals) return undefined;
  return equals[1] === '' ? `with ${code(equals[0].Ref)}` : `unless ${code(`${equals[0].Ref}=${equals[1]}`)}`;
}

const code = (text) => `\`${text}\``;

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function readTemplate() {
  const names = ['And', 'Equals', 'GetAtt', 'If', 'Join', 'Not', 'Or', 'Select', 'Split', 'Sub'];
  const keys = [['Ref', 'Ref'], ['Condition', 'Condition'], ...names.map((name) => [name, `Fn::${name}`])];
  const tags = keys.flatMap(([tag, key]) => [
    { tag: `!${tag}`, resolve: (text) => ({ [key]: text }) },
    { tag: `!${tag}`, collection: 'seq', resolve: (items) => nested(key, items) },
  ]);
  return parse(readFileSync(join(ROOT, 'template.yml'), 'utf8'), {
    merge: true,
    customTags: (core) => [...core, ...tags],
  });
}

function nested(key, value) {
  const map = new YAMLMap();
  map.items.push(new Pair(key, value));
  return map;
}
