/** Reads what a bucket holds before a load: the kinds of its columns, and its retention. Stores nothing. */
import type { BucketState, Send } from './bucket-state';
import { readBucketV2 } from './bucket-v2';
import { readBucketV3 } from './bucket-v3';
import type { InfluxClient } from './client';

export type BucketReading =
  | { readonly kind: 'read'; readonly state: BucketState }
  /** The token may not read, the bucket does not exist, or the server cannot be reached. */
  | { readonly kind: 'unread'; readonly reason: string };

/** Timeout of one request, ms. */
const TIMEOUT_MS = 5_000;

/** Reads the bucket of the client. It never throws, because a load goes on without this knowledge. */
export async function readBucket(client: InfluxClient): Promise<BucketReading> {
  const { target } = client;
  const send: Send = ({ method, path, body }) => {
    const json = body !== undefined && { body: Buffer.from(JSON.stringify(body)) };
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    return client.send({ method, path, headers, timeoutMs: TIMEOUT_MS, ...json });
  };
  try {
    const state = target.engine === 'v2' ? await readBucketV2(target, send) : await readBucketV3(target, send);
    return { kind: 'read', state };
  } catch (error) {
    return { kind: 'unread', reason: error instanceof Error ? error.message : String(error) };
  }
}
