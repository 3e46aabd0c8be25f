/** Detects the version of InfluxDB from the responses of /health and /ping. */
import { parseObject } from './outcome';
import type { Engine } from './protocol';
import type { Exchange } from './transport';

/** The version in a response's body (`/health` of 2, `/ping` of 3) or its header (`/ping` of both); null without one. */
export function versionOf(exchange: Exchange): string | null {
  if (exchange.kind === 'no-response') return null;
  const { version } = parseObject(exchange.body);
  return typeof version === 'string' ? version : (exchange.version ?? null);
}

/** The engine of a version, such as `3.7.0` or `v2.7.12`; undefined if it is not a version number. InfluxDB 1.8 accepts writes of v2. */
export function engineOf(version: string | null): Engine | undefined {
  const major = /^v?(\d+)\./.exec(version ?? '')?.[1];
  if (major === undefined) return undefined;
  return Number(major) >= 3 ? 'v3' : 'v2';
}
