/** The options of `migrate`, and the request that they make. */
import { UsageError } from './ending';

export interface MigrateOptions extends Readonly<Record<string, unknown>> {
  readonly database?: string;
  readonly table?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly export?: string;
  readonly measureName?: string;
  readonly dimensionsToFields?: readonly string[];
  readonly timestamps?: string;
  readonly verify?: string;
  readonly allowMerges?: true;
  readonly verifyOnly?: true;
  readonly timestream: string;
  readonly dryRun?: true;
  readonly json?: true;
  readonly stack?: string;
  readonly resume?: string;
  readonly detach?: true;
  readonly watch?: string;
  readonly token?: string;
  readonly tokenSecret?: string;
}

/** The members of a request that options name, from this machine or by a stack. */
export const requestOf = (options: MigrateOptions) => ({
  tables: options.table,
  from: options.from === undefined || options.from === 'last' ? options.from : rfc3339(options.from, '--from'),
  to: options.to === undefined ? undefined : rfc3339(options.to, '--to'),
  mapping: {
    measureName: options.measureName,
    dimensionsToFields: options.dimensionsToFields,
    timestamps: options.timestamps,
  },
  verify: options.verify,
  allowMerges: options.allowMerges,
});

/** A date alone begins at midnight UTC. */
function rfc3339(text: string, option: string): string {
  const full = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(full) && !Number.isNaN(Date.parse(full)))
    return full;
  throw new UsageError(`${option} ${text} is not a time such as 2024-01-01 or 2024-01-01T00:00:00Z`);
}
