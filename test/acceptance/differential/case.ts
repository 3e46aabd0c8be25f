/** One comparison: requests sent in order to an empty InfluxDB and to an empty Timestream. */
import type { Request } from './stored';

export interface Case {
  /** The source, and the number or key there. */
  readonly name: string;
  readonly requests: readonly Request[];
  /** The same requests without the deliberately invalid lines, with LF line ends. */
  readonly good?: readonly Request[];
  /** Retention of InfluxDB's bucket; by default unlimited. */
  readonly retentionSeconds?: number;
  /** Settings of the connector that differ from the suite's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the grammar accepts it, by InfluxData's corpus or by hand. */
  readonly grammar?: 'accepts' | 'refuses';
}

/** A case of one request. */
export const single = (name: string, text: string, more: Partial<Request> = {}): Case => ({
  name,
  requests: [{ body: Buffer.from(text), ...more }],
});
