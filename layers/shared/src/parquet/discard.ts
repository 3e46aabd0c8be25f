/** Frees buffers of the worker thread at once. The garbage collector sees few small objects and would keep tens of MB. */
import { MessageChannel } from 'node:worker_threads';

/**
 * Node 20 has no call that frees a buffer, but a buffer that is transferred to a closed port is freed before `postMessage` returns.
 * structuredClone would create new buffers.
 */
const { port1: closed } = new MessageChannel();
closed.close();

/** The buffers are empty afterwards. */
export function discard(...buffers: ArrayBuffer[]): void {
  closed.postMessage(null, buffers);
}
