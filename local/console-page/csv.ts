/** A result as CSV (RFC 4180): the header, then one line per row. NULL is empty, and an empty text is quoted. */
import type { Cell, Row } from './responses';

function field(cell: Cell): string {
  if (cell === null) return '';
  return cell === '' || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

export function csv(names: readonly string[], rows: readonly Row[]): string {
  return [names, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}
