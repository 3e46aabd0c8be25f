/** docs/command-line.md: the help of every command. */
import type { Command } from 'commander';
import { createProgram } from '../local/cli/program';
import { generatedFrom } from './markdown';

const WIDTH = 100;

const INTRODUCTION = `\`influxdb-timestream\` is one program. In the project's folder start it with \`npm run -s COMMAND -- OPTIONS\` or, a little slower, with
\`npx influxdb-timestream COMMAND OPTIONS\`. To have it everywhere: \`npm run pack\`, then \`npm install -g\` with the archive that it made.

Results go to stdout, progress and messages to stderr. An option wins over its environment variable.`;

export function commandLinePage(): string {
  return `${['# Command line', generatedFrom("the program's help"), INTRODUCTION, ...sections(createProgram(), '')].join('\n\n')}\n`;
}

function sections(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`.trim();
  return [
    `## ${name}\n\n\`\`\`\n${helpOf(command)}\n\`\`\``,
    ...command.commands.flatMap((subcommand) => sections(subcommand, name)),
  ];
}

/** The help as a terminal shows it. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ getOutHelpWidth: () => WIDTH, writeOut: (part) => (text += part) }).outputHelp();
  return text.trimEnd();
}
