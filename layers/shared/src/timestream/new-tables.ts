/** The tables that a request's calls find missing: which calls wait for them, and whether the request may have so many. */
import type { Call } from './call-queue';
import type { Table } from './series';

interface NewTable {
  /** Calls that wait for it. */
  readonly calls: Call[];
  /** What becomes of its calls once it cannot be had. */
  end: ((call: Call) => void) | undefined;
}

export class NewTables {
  /** Tables that no call has tried, and that are not known to exist. */
  private readonly untried = new Set<Table>();
  private readonly tables = new Map<Table, NewTable>();
  private readonly created = new Set<Table>();
  private readonly undecided: Table[] = [];

  /** @param max more missing tables than this are not created */
  constructor(private readonly max: number) {}

  /** Notes a table that may be missing. */
  expect(table: Table): void {
    this.untried.add(table);
  }

  /** Notes that a call to the table has ended, however it did. */
  noteTried(table: Table): void {
    this.untried.delete(table);
  }

  isMissing(table: Table): boolean {
    return this.tables.has(table) && !this.created.has(table);
  }

  wasCreated(table: Table): boolean {
    return this.created.has(table);
  }

  /** Whether those that are missing, and `more` beside them, are too many. */
  areTooMany(more = 0): boolean {
    return this.tables.size + more > this.max;
  }

  /** Keeps a call until its table is created, or settles it where that cannot be. */
  keep(call: Call): void {
    const table = this.tables.get(call.table);
    if (table?.end !== undefined) table.end(call);
    else if (table !== undefined) table.calls.push(call);
    else {
      this.tables.set(call.table, { calls: [call], end: undefined });
      this.undecided.push(call.table);
    }
  }

  /**
   * The tables that can be decided upon now: it is certain that they are too many, or that they will not be. So no table is made
   * for a request that is refused for their number.
   */
  takeDecidable(): Table[] {
    return this.areTooMany() || !this.areTooMany(this.untried.size) ? this.takeUndecided() : [];
  }

  takeUndecided(): Table[] {
    return this.undecided.splice(0);
  }

  /** The table is there: returns the calls that waited for it. */
  noteCreated(table: Table): readonly Call[] {
    this.created.add(table);
    return this.tables.get(table)?.calls ?? [];
  }

  /** The table cannot be had: settles the calls that wait for it, and those that come to miss it. */
  end(table: Table, end: (call: Call) => void): void {
    const newTable = this.tables.get(table);
    if (newTable === undefined) return;
    newTable.end = end;
    for (const call of newTable.calls.splice(0)) end(call);
  }
}
