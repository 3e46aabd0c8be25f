/** One comparison: requests that are sent, one after the other, to an empty InfluxDB and to an empty Timestream. */
import type { Request } from './stored';

export interface Case {
  /** Where it comes from, and its number or key there. */
  readonly name: string;
  readonly requests: readonly Request[];
  /** The same requests without the lines that are bad on purpose, with simple line ends. */
  readonly good?: readonly Request[];
  /** The connector's configuration, where another than the suite's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the grammar says of it, by InfluxData's corpus or by hand. */
  readonly grammar?: 'accepts' | 'refuses';
}

/** A case of one request. */
export const single = (name: string, text: string, more: Partial<Request> = {}): Case => ({
  name,
  requests: [{ body: Buffer.from(text), ...more }],
});
