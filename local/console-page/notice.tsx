/** Short pieces that several panels show. */
import type { ComponentChildren } from 'preact';

/** An error of the server or the connection. Screen readers announce it. */
export const ErrorNotice = ({ error }: { readonly error: string | undefined }) =>
  error === undefined ? null : (
    <p class="notice error" role="alert">
      {error}
    </p>
  );

export const Card = ({ title, children }: { readonly title: string; readonly children: ComponentChildren }) => (
  <section class="card">
    <h2>{title}</h2>
    {children}
  </section>
);

/** An area that scrolls sideways on narrow screens, also with the keyboard. */
export const Scroller = ({ label, children }: { readonly label: string; readonly children: ComponentChildren }) => (
  <section class="scroller" tabIndex={0} aria-label={label}>
    {children}
  </section>
);

export interface Heading {
  readonly title: string;
  readonly isNumber?: boolean;
}

interface TableProps {
  readonly caption?: string;
  readonly headings: readonly Heading[];
  /** The rows. */
  readonly children: ComponentChildren;
}

export const Table = ({ caption, headings, children }: TableProps) => (
  <table class="plain">
    {caption !== undefined && <caption>{caption}</caption>}
    <thead>
      <tr>
        {headings.map(({ title, isNumber }) => (
          <th key={title} scope="col" class={isNumber ? 'number' : undefined}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>{children}</tbody>
  </table>
);

const MEANINGS: Readonly<Record<string, string>> = {
  '202': 'accepted',
  '204': 'stored',
  '400': 'invalid',
  '401': 'no valid token',
  '403': 'not authorized',
  '404': 'not found',
  '405': 'wrong method',
  '408': 'too slow',
  '413': 'too large',
  '415': 'unknown encoding',
  '422': 'lines rejected',
  '429': 'throttled',
  '500': 'server error',
  '503': 'not stored',
};

/** @param refusedLines of the request; undefined for several requests */
export function meaningOf(code: string, refusedLines?: number): string {
  const meaning = MEANINGS[code] ?? '';
  if (code !== '400' || refusedLines === undefined) return meaning;
  return `${meaning} ${refusedLines > 0 ? 'lines' : 'request'}`;
}

interface StatusProps {
  readonly status: number | string;
  readonly refusedLines?: number | undefined;
}

/** Colour and text, as colour alone says nothing to some. */
export function Status({ status, refusedLines }: StatusProps) {
  const code = String(status);
  const kind = code < '300' ? 'good' : code < '500' && code !== '429' ? 'bad' : 'late';
  return (
    <span class={`badge ${kind}`}>
      {code} {meaningOf(code, refusedLines)}
    </span>
  );
}
