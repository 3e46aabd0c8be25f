/** The tables that a request's calls find missing: keeps the calls that wait for them, and limits their number. */
import type { Call } from './call-queue';
import type { Table } from './series';

interface NewTable {
  /** Calls that wait for the table. */
  readonly calls: Call[];
  /** Settles a call to the table; set once it is certain that the table will not be created. */
  settle: ((call: Call) => void) | undefined;
}

export class NewTables {
  /** Tables that are not known to exist and that no call has tried yet. */
  private readonly untried = new Set<Table>();
  private readonly tables = new Map<Table, NewTable>();
  private readonly created = new Set<Table>();
  private readonly undecided: Table[] = [];

  /** @param max maximum number of missing tables; if there are more, the request creates none */
  constructor(private readonly max: number) {}

  /** Adds a table that may be missing. */
  expect(table: Table): void {
    this.untried.add(table);
  }

  /** Notes that a call to the table has ended, with any result. */
  noteTried(table: Table): void {
    this.untried.delete(table);
  }

  isMissing(table: Table): boolean {
    return this.tables.has(table) && !this.created.has(table);
  }

  wasCreated(table: Table): boolean {
    return this.created.has(table);
  }

  /** Whether the missing tables plus `more` exceed the maximum. */
  areTooMany(more = 0): boolean {
    return this.tables.size + more > this.max;
  }

  /** Keeps a call until its table is created. Settles it at once if the table will not be created. */
  keep(call: Call): void {
    const table = this.tables.get(call.table);
    if (table?.settle !== undefined) table.settle(call);
    else if (table !== undefined) table.calls.push(call);
    else {
      this.tables.set(call.table, { calls: [call], settle: undefined });
      this.undecided.push(call.table);
    }
  }

  /**
   * The missing tables to decide on. Empty while it is open whether the request exceeds the maximum, so that no table is created
   * for a request that will exceed it.
   */
  takeDecidable(): Table[] {
    return this.areTooMany() || !this.areTooMany(this.untried.size) ? this.takeUndecided() : [];
  }

  takeUndecided(): Table[] {
    return this.undecided.splice(0);
  }

  /** Notes that the table exists now, and returns the calls that waited for it. */
  noteCreated(table: Table): readonly Call[] {
    this.created.add(table);
    return this.tables.get(table)?.calls ?? [];
  }

  /** Settles all calls to a table that will not be created: those that wait for it now, and those that find it missing later. */
  settle(table: Table, settleCall: (call: Call) => void): void {
    const newTable = this.tables.get(table);
    if (newTable === undefined) return;
    newTable.settle = settleCall;
    for (const call of newTable.calls.splice(0)) settleCall(call);
  }
}
