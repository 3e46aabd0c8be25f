/** Frees buffers of the worker thread without the garbage collector, which sees few small objects and leaves tens of MB lying about. */
import { MessageChannel } from 'node:worker_threads';

/** What is transferred to a closed port is freed before `postMessage` returns; structuredClone would make new buffers of it. */
const { port1: closed } = new MessageChannel();
closed.close();

/** The buffers are empty afterwards. */
export function discard(...buffers: ArrayBuffer[]): void {
  closed.postMessage(null, buffers);
}
