/** The differences between the write APIs of InfluxDB 2 and 3. */
import type { WriteOutcome } from './outcome';
import { protocolV2 } from './protocol-v2';
import { protocolV3 } from './protocol-v3';
import type { Exchange } from './transport';

export type Engine = 'v2' | 'v3';

/** The destination of the points. InfluxDB 3 has no organizations; `bucket` is the name of its database. */
export interface Target {
  readonly engine: Engine;
  readonly url: string;
  readonly org: string;
  readonly bucket: string;
}

/** The precision of the timestamps of a write. */
export type WritePrecision = 'ns' | 'us' | 'ms' | 's';

export interface Protocol {
  /** Path and query of a write request. */
  writePath(target: Target, precision: WritePrecision): string;
  /** The Authorization header. */
  authorization(token: string): string;
  /** The outcome of a write of these lines. */
  outcome(exchange: Exchange, lines: Uint8Array): WriteOutcome;
}

export const PROTOCOLS: Readonly<Record<Engine, Protocol>> = { v2: protocolV2, v3: protocolV3 };
