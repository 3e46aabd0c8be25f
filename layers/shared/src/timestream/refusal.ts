/** Why Timestream cannot store a line, and which of its limits is the cause. */

/**
 * The limits of Timestream that InfluxDB does not have, the limit of a setting for Timestream
 * (`partition-key`), and the times that its tables keep (`time-range`), which only the service knows.
 */
export const TIMESTREAM_LIMITS = [
  'no-tags',
  'before-1970',
  'unsigned',
  'names',
  'empty-strings',
  'sizes',
  'partition-key',
  'time-range',
] as const;
export type TimestreamLimit = (typeof TIMESTREAM_LIMITS)[number];

/** The reason is shown to the client. Without a limit the line exceeds a bound of the request, which applies to every destination. */
export class Refusal {
  constructor(
    readonly limit: TimestreamLimit | undefined,
    readonly reason: string,
  ) {}
}
