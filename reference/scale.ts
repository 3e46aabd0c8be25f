/** docs/scale.md with the tables of its simulation (`test/simulation/scale`). The text around them is written by hand. */

export const SCALE_PAGE = 'docs/scale.md';

/**
 * Replaces each table in the page: the lines between `<!-- NAME: ... -->` and the next blank line.
 * @param tables as Markdown, by their names
 * @throws Error if the page has no such place for a table
 */
export function scalePage(page: string, tables: Readonly<Record<string, string>>): string {
  let text = page;
  for (const [name, table] of Object.entries(tables)) {
    const place = new RegExp(`(<!-- ${name}: [^\\n]*-->\\n\\n)(?:\\|[^\\n]*\\n)*`);
    if (!place.test(text)) throw new Error(`${SCALE_PAGE} has no place for the table ${name}`);
    text = text.replace(place, (_, mark: string) => `${mark}${table}\n`);
  }
  return text;
}
