/** What would become of a line, as the console's server reports it to its page. */
export interface TriedLine {
  /** Number in the text, from 1. */
  readonly line: number;
  readonly text: string;
  readonly outcome: 'stored' | 'faulty' | 'rejected';
  readonly reason?: string;
  /** Whether a stored line is stored in InfluxDB only; `reason` then has the limit of Timestream. */
  readonly influxdbOnly?: true;
  /** The table in Timestream. */
  readonly table?: string;
  /** As WriteRecords receives it. Lines of one series and time share a record. */
  readonly record?: object;
}
