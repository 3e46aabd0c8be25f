/** A table of any number of rows, of which only those in view are in the document. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { counted } from './format';
import type { ResultColumn, Row } from './responses';

/** As in the style sheet, px. */
const ROW_HEIGHT = 26;
/** Rows above and below those in view, so that quick scrolling shows no gap. */
const MARGIN = 20;
/** Widths are estimated from the first rows, in characters. */
const SAMPLE = 200;
const MAX_WIDTH = 42;

interface Column extends ResultColumn {
  /** The column's role in its table, if known. */
  readonly role?: string;
}

interface ResultTableProps {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

export function ResultTable({ label, columns, rows }: ResultTableProps) {
  const box = useRef<HTMLDivElement>(null);
  const [{ top, height }, setView] = useState({ top: 0, height: 600 });
  const widths = useMemo(() => columns.map((column, index) => widthOf(column, index, rows)), [columns, rows]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const resize = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    resize.observe(element);
    return () => resize.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - MARGIN);
  const end = Math.min(rows.length, Math.ceil((top + height) / ROW_HEIGHT) + MARGIN);
  const total = widths.reduce((sum, width) => sum + width, 0);

  return (
    <section
      ref={box}
      class="scroller result"
      tabIndex={0}
      aria-label={`${label}, ${counted(rows.length, 'row')}`}
      onScroll={({ currentTarget }) => setView({ top: currentTarget.scrollTop, height: currentTarget.clientHeight })}
    >
      <table aria-rowcount={rows.length + 1} style={{ width: `max(100%, ${total}ch)` }}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map(({ name, type, role }, index) => (
              <th key={index} scope="col" class={alignment(type)} style={{ width: `${widths[index]}ch` }}>
                {name} <small>{[role, type].filter(Boolean).join(', ')}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={first} columns={columns.length} />
          {rows.slice(first, end).map((row, index) => (
            <tr key={first + index} aria-rowindex={first + index + 2}>
              {columns.map(({ type }, column) => (
                <ResultCell key={column} type={type} cell={row[column] ?? null} />
              ))}
            </tr>
          ))}
          <Spacer rows={rows.length - end} columns={columns.length} />
        </tbody>
      </table>
    </section>
  );
}

export function ResultCell({ cell, type }: { readonly cell: string | null; readonly type: string }) {
  if (cell === null) return <td class={`null ${alignment(type)}`}>NULL</td>;
  return (
    <td class={alignment(type)} title={cell}>
      {cell}
    </td>
  );
}

function Spacer({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  return rows === 0 ? null : (
    <tr>
      <td class="spacer" colSpan={columns} style={{ height: `${rows * ROW_HEIGHT}px` }} />
    </tr>
  );
}

export const alignment = (type: string): string => (/^(?:double|bigint|integer)/i.test(type) ? 'number' : '');

function widthOf({ name, type, role = '' }: Column, index: number, rows: readonly Row[]): number {
  const lengths = rows.slice(0, SAMPLE).map((row) => (row[index] ?? 'NULL').length);
  return Math.min(MAX_WIDTH, Math.max(6, name.length, role.length + type.length, ...lengths)) + 3;
}
