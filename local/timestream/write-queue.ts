/** Carries out WriteRecords calls in groups: one after the other, but committed in one transaction. */
import { setImmediate } from 'node:timers/promises';
import type { Catalog } from './catalog';
import { ServiceError } from './errors';
import type { WriteRecord } from './record-shape';
import { StorageFault } from './storage-fault';
import type { Store } from './store';
import type { Table } from './table';
import { TableWrite, type WriteOutcome } from './table-write';

/** The records for one table. */
export interface WriteCall {
  readonly database: string;
  readonly table: string;
  readonly records: readonly WriteRecord[];
}

interface PendingCall extends WriteCall {
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Maximum calls in a group, so that the first call does not wait long for the last one. */
const MAX_CALLS = 50;

export class WriteQueue {
  private readonly pending: PendingCall[] = [];
  private isDraining = false;

  constructor(
    private readonly store: Store,
    private readonly catalog: Catalog,
    /** Milliseconds since 1970. */
    private readonly now: () => number,
  ) {}

  /** Resolves when the accepted records are stored. @throws ResourceNotFoundException, StorageFault */
  write(call: WriteCall): Promise<WriteOutcome> {
    return new Promise((resolve, reject) => {
      this.pending.push({ ...call, resolve, reject });
      if (!this.isDraining) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.isDraining = true;
    while (this.pending.length > 0) {
      // Calls that have arrived on other connections are read first. The connector sends ten at a time: one commit for all of them
      // instead of one each takes half of the CPU time of narrow records.
      await setImmediate();
      await this.settle(this.pending.splice(0, MAX_CALLS));
    }
    this.isDraining = false;
  }

  private async settle(group: readonly PendingCall[]): Promise<void> {
    try {
      const outcomes = await this.store.exclusive(() => this.carryOut(group));
      group.forEach(({ resolve, reject }, index) => {
        const outcome = outcomes[index];
        if (outcome === undefined || outcome instanceof ServiceError) reject(outcome);
        else resolve(outcome);
      });
    } catch (error) {
      // No call of the group is stored. Unless the disk is the reason, each is tried alone and fails only for its own reason.
      if (group.length === 1 || error instanceof StorageFault) for (const { reject } of group) reject(error);
      else for (const call of group) await this.settle([call]);
    }
  }

  private async carryOut(group: readonly WriteCall[]): Promise<(WriteOutcome | ServiceError)[]> {
    const targets = group.map((call) => ({ call, table: this.tableOf(call) }));
    const writes = new Map<Table, TableWrite>();
    const outcomes: (WriteOutcome | ServiceError)[] = [];
    for (const { call, table } of targets) {
      if (table instanceof ServiceError) {
        outcomes.push(table);
        continue;
      }
      // The records of all its calls, so that stored rows that they may replace are read by one query.
      const records = () => targets.flatMap((target) => (target.table === table ? target.call.records : []));
      const write = writes.get(table) ?? (await TableWrite.open(this.store, table, records(), this.now()));
      writes.set(table, write);
      outcomes.push(write.add(call.records));
    }
    const changes = [...writes.values()].filter((write) => write.hasChanges);
    if (changes.length > 0) {
      await this.store.transaction(async (connection) => {
        for (const write of changes) await write.append(connection);
      });
      for (const write of changes) write.committed();
    }
    return outcomes;
  }

  private tableOf({ database, table }: WriteCall): Table | ServiceError {
    try {
      return this.catalog.table(database, table);
    } catch (error) {
      if (error instanceof ServiceError) return error;
      throw error;
    }
  }
}
