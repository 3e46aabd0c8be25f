/** docs/parameters.md: the parameters of the stack in their groups, and its outputs. */
import { phrasesOf } from './conditions';
import { code, NOTICE, table } from './markdown';
import type { Template } from './template';

export function parametersPage(template: Template): string {
  const groups = template.Metadata['AWS::CloudFormation::Interface'].ParameterGroups.map(({ Label, Parameters }) => {
    const rows = Parameters.map((name) => row(template, name));
    return `## ${Label.default}\n\n${table(['parameter', 'default', 'meaning'], rows)}`;
  });
  const outputs = Object.entries(template.Outputs).map(([name, { Description, Condition }]) => {
    const only = Condition === undefined ? '' : ` Only ${phrasesOf(template, [Condition]).join(', ')}.`;
    return [code(name), `${Description}${only}`];
  });
  const page = [
    '# Parameters and outputs',
    NOTICE,
    'Set parameters with `sam deploy --parameter-overrides DatabaseName=metrics MemStoreRetentionPeriod=24`, or in\n' +
      '`samconfig.toml` ([several environments](deploy.md#parameters-for-several-environments)). On this machine the same settings are\n' +
      'options of [the command line](command-line.md).',
    'A deployment keeps the value of each parameter that it does not name. To empty a parameter, keep both pairs of quotes:\n' +
      '`sam deploy --parameter-overrides \'InfluxDBUrl=""\'`.',
    ...groups,
    `## Outputs\n\n${table(['output', 'meaning'], outputs)}`,
  ];
  return `${page.join('\n\n')}\n`;
}

function row({ Parameters }: Template, name: string): string[] {
  const parameter = Parameters[name];
  if (parameter === undefined) throw new Error(`a group of the console names ${name}, which is not a parameter`);
  const { Default, Description, AllowedValues = [] } = parameter;
  const values = AllowedValues.filter((value) => value !== '').map((value) => code(String(value)));
  const choice = values.length > 0 ? ` One of ${values.join(', ')}.` : '';
  return [code(name), Default === '' ? '' : code(String(Default)), `${Description}${choice}`];
}
