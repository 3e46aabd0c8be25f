/** Text of the generated pages. */
export const generatedFrom = (source: string): string => `<!-- Generated from ${source} by \`npm run generate\`. -->`;

export const NOTICE = generatedFrom('template.yml');

export const code = (text: string): string => `\`${text}\``;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
