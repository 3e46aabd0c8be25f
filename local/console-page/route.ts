/** The address of what the page shows: `#PANEL?sql=...`. A copy of it opens the same panel with the same SQL. */
export const PANELS = ['overview', 'data', 'writes', 'work'] as const;
export type Panel = (typeof PANELS)[number];
export type View = 'table' | 'chart';

export interface Route {
  readonly panel: Panel;
  readonly database?: string;
  readonly table?: string;
  readonly sql?: string;
  readonly view?: View;
}

/** The start page if the hash names no panel. */
export function parseRoute(hash: string): Route {
  const [, name = '', query = ''] = hash.match(/^#?([^?]*)\??(.*)$/s) ?? [];
  const panel = PANELS.find((each) => each === name) ?? 'overview';
  const parameters = new URLSearchParams(query);
  const text = (key: string): string | undefined => parameters.get(key) || undefined;
  const [database, table, sql] = [text('database'), text('table'), text('sql')];
  const view = parameters.get('view');
  return {
    panel,
    ...(database !== undefined && { database }),
    ...(table !== undefined && { table }),
    ...(sql !== undefined && { sql }),
    ...((view === 'table' || view === 'chart') && { view }),
  };
}

export function hashOf({ panel, ...others }: Route): string {
  const query = new URLSearchParams({ ...others }).toString();
  return query === '' ? `#${panel}` : `#${panel}?${query}`;
}
