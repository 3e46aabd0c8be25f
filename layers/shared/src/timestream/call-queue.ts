/**
 * Decides the order of a request's calls: first new calls, then retries, then parts of calls that the service refused, and last
 * calls to tables that were missing a short time ago. So failing calls and invalid records do not delay records that can be stored.
 */
import type { RecordBatch } from './packing';

export interface Call extends RecordBatch {
  readonly version: number;
  /** Whether its table was missing a short time ago, and the call has not failed since for another reason. */
  doubtful: boolean;
  retries: number;
  /** The failure of its last attempt. */
  failure: CallFailure | undefined;
}

export interface CallFailure {
  /** For the log. */
  readonly reason: string;
  /** The service's error type, or the error code of the connection; safe to show to a client. */
  readonly code: string | undefined;
  readonly throttled: boolean;
}

export class CallQueue {
  /** A stack: `next` takes the last call. */
  private readonly untried: Call[] = [];
  private readonly retries: Call[] = [];
  /** A stack, so that the smallest part goes first. It soon finds a refused record, so that each resend has fewer records left. */
  private readonly parts: Call[] = [];
  private readonly doubtful: Call[] = [];

  /** Adds new calls. They are sent before the calls that are already in the queue. */
  add(calls: readonly Call[]): void {
    for (let i = calls.length - 1; i >= 0; i--) (calls[i].doubtful ? this.doubtful : this.untried).push(calls[i]);
  }

  addRetry(call: Call): void {
    this.retries.push(call);
  }

  addParts(calls: readonly Call[]): void {
    this.parts.push(...calls);
  }

  next(): Call | undefined {
    return this.untried.pop() ?? this.retries.shift() ?? this.parts.pop() ?? this.doubtful.pop();
  }

  /** Removes and returns all calls. */
  drain(): Call[] {
    return [this.untried, this.retries, this.parts, this.doubtful].flatMap((calls) => calls.splice(0));
  }
}
