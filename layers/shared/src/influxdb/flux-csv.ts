/** Reads the CSV that InfluxDB 2 returns for a Flux query. */

/**
 * The rows of all tables, as texts by column. An empty line ends a table, and the next line has the names of the next table's columns.
 * Source: "Annotated CSV" in the InfluxDB 2 documentation; without annotations.
 */
export function fluxRows(csv: string): Record<string, string>[] {
  const rows: Record<string, string>[] = [];
  let names: string[] | undefined;
  for (const cells of records(csv)) {
    if (cells.length === 1 && cells[0] === '') names = undefined;
    else if (names === undefined) names = cells;
    else rows.push(Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ''])));
  }
  return rows;
}

/** Lines end with CRLF. A quoted cell may contain anything; a quote in it is doubled. */
function* records(csv: string): Generator<string[]> {
  let cells: string[] = [];
  for (let at = 0; at < csv.length; ) {
    const isQuoted = csv[at] === '"';
    const end = isQuoted ? closingQuote(csv, at + 1) : nextSeparator(csv, at);
    cells.push(isQuoted ? csv.slice(at + 1, end).replaceAll('""', '"') : csv.slice(at, end));
    at = isQuoted ? end + 1 : end;
    if (csv[at] === ',') {
      at += 1;
      if (at < csv.length) continue;
      cells.push('');
    }
    yield cells;
    cells = [];
    at += csv.startsWith('\r\n', at) ? 2 : 1;
  }
}

function closingQuote(csv: string, from: number): number {
  for (let at = csv.indexOf('"', from); at >= 0; at = csv.indexOf('"', at + 2)) if (csv[at + 1] !== '"') return at;
  return csv.length;
}

function nextSeparator(csv: string, from: number): number {
  const found = /[,\r\n]/g;
  found.lastIndex = from;
  return found.exec(csv)?.index ?? csv.length;
}
