/** Creates missing databases and tables: each one once, with one create call per second. Another process may do the same. */
import type { CreateTableRequest, Tag } from '@aws-sdk/client-timestream-write';
import { fullJitterDelay } from '../resilience/backoff';
import { type Clock, systemClock } from '../resilience/clock';
import { Pacer } from '../resilience/pacer';
import { SharedWork } from '../resilience/shared-work';
import type { TableAdministration } from './service';
import { TableMemory } from './table-memory';

/** Interval of create calls: an account may make one per second. Source: quotas of Timestream for LiveAnalytics. */
const CREATE_INTERVAL_MS = 1000;
/** Backoff of throttled create calls. */
const THROTTLED = { baseMs: 200, capMs: 2000 };

export interface TableSettings {
  readonly database: string;
  readonly createDatabase: boolean;
  readonly createTables: boolean;
  readonly magneticStoreWrites: boolean;
  readonly memoryStoreHours: number;
  readonly magneticStoreDays: number;
  readonly partitionKey: PartitionKey | undefined;
  readonly kmsKeyId: string | undefined;
  readonly tags: readonly Tag[];
}

export type PartitionKey =
  | { readonly type: 'measure' }
  | { readonly type: 'dimension'; readonly dimension: string; readonly enforced: boolean };

/** A table could not be created. `invalid`: a retry cannot succeed, since the service or the settings refuse the table. */
export class TableCreationError extends Error {
  override readonly name = 'TableCreationError';

  constructor(
    message: string,
    readonly invalid: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export class TableCreator {
  readonly memory: TableMemory;
  private readonly pacer: Pacer;
  /** Creations in progress, which concurrent requests share. */
  private readonly creating = new Map<string, SharedWork<void>>();
  private database: SharedWork<void> | undefined;

  constructor(
    private readonly settings: TableSettings,
    private readonly administration: TableAdministration,
    private readonly clock: Clock = systemClock,
    /** Time between two create calls, ms. */
    createIntervalMs = CREATE_INTERVAL_MS,
    wallClock: () => number = Date.now,
  ) {
    this.memory = new TableMemory(wallClock);
    this.pacer = new Pacer(createIntervalMs, clock);
  }

  /**
   * Creates a table that a write found missing, and before it the database if that is missing too.
   * @throws TableCreationError if the service refuses the table, or if the settings do not allow to create it
   */
  async create(table: string, signal: AbortSignal): Promise<void> {
    if (!this.settings.createTables) {
      throw new TableCreationError(`table '${table}' does not exist, and EnableTableCreation is false`, true);
    }
    let creating = this.creating.get(table);
    if (creating === undefined) {
      creating = new SharedWork(
        (abort) => this.createTable(table, abort),
        () => this.creating.delete(table),
      );
      this.creating.set(table, creating);
    }
    await creating.join(signal);
    this.memory.noteCreated(table);
  }

  private async createTable(table: string, signal: AbortSignal): Promise<void> {
    await this.ensureDatabase(signal);
    try {
      await this.call(`table '${table}'`, signal, () =>
        this.administration.createTable(this.tableRequest(table), signal),
      );
    } catch (error) {
      if (errorName(error) === 'ResourceNotFoundException') this.database = undefined;
      throw error;
    }
  }

  /** Creates the database if it is missing, and remembers that it exists. After a failure the next request tries again. */
  private async ensureDatabase(signal: AbortSignal): Promise<void> {
    this.database ??= new SharedWork(
      (abort) => this.createDatabase(abort),
      (isFailed) => {
        if (isFailed) this.database = undefined;
      },
    );
    await this.database.join(signal);
  }

  private async createDatabase(signal: AbortSignal): Promise<void> {
    const { database, createDatabase, kmsKeyId, tags } = this.settings;
    if (await this.administration.databaseExists(database, signal)) return;
    if (!createDatabase) {
      throw new TableCreationError(`database '${database}' does not exist, and EnableDatabaseCreation is false`, true);
    }
    const request = {
      DatabaseName: database,
      ...(kmsKeyId && { KmsKeyId: kmsKeyId }),
      ...(tags.length > 0 && { Tags: [...tags] }),
    };
    await this.call(`database '${database}'`, signal, () => this.administration.createDatabase(request, signal));
  }

  /** Waits for its turn and makes a create call; repeats it while it is throttled. If the resource already exists, that is success. */
  private async call(what: string, signal: AbortSignal, create: () => Promise<unknown>): Promise<void> {
    for (let retry = 0; ; retry++) {
      await this.pacer.turn(signal);
      signal.throwIfAborted();
      try {
        await create();
        return;
      } catch (error) {
        const name = errorName(error);
        if (name === 'ConflictException') return;
        if (name === 'ThrottlingException') await this.clock.delay(fullJitterDelay(retry, THROTTLED), signal);
        else if (name === 'ValidationException') {
          throw new TableCreationError(`${what}: ${(error as Error).message}`, true, { cause: error });
        } else throw error;
      }
    }
  }

  private tableRequest(table: string): CreateTableRequest {
    const { database, magneticStoreWrites, memoryStoreHours, magneticStoreDays, partitionKey, tags } = this.settings;
    return {
      DatabaseName: database,
      TableName: table,
      RetentionProperties: {
        MemoryStoreRetentionPeriodInHours: memoryStoreHours,
        MagneticStoreRetentionPeriodInDays: magneticStoreDays,
      },
      MagneticStoreWriteProperties: { EnableMagneticStoreWrites: magneticStoreWrites },
      ...(partitionKey && { Schema: { CompositePartitionKey: [compositeKey(partitionKey)] } }),
      ...(tags.length > 0 && { Tags: [...tags] }),
    };
  }
}

type CompositeKey = NonNullable<NonNullable<CreateTableRequest['Schema']>['CompositePartitionKey']>[number];

const compositeKey = (key: PartitionKey): CompositeKey =>
  key.type === 'measure'
    ? { Type: 'MEASURE' }
    : { Type: 'DIMENSION', Name: key.dimension, EnforcementInRecord: key.enforced ? 'REQUIRED' : 'OPTIONAL' };

const errorName = (error: unknown): string => (error instanceof Error ? error.name : '');
