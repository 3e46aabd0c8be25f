/** Faults that tests ask for in place of, or beside, the answer to a request. */

/** An error in place of the answer; with `after` the request is carried out all the same. */
export interface ErrorFault {
  readonly kind: 'error';
  readonly type: string;
  readonly message?: string;
  /** As the type has it, where absent. */
  readonly status?: number;
  /** Further members of the body, as RejectedRecords. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly when?: 'before' | 'after';
}

/** The connection breaks, before or after the request is carried out. */
export interface DropFault {
  readonly kind: 'drop';
  readonly when: 'before' | 'after';
}

/** The request is carried out and answered later: after so many ms, or when the promise settles. */
export interface DelayFault {
  readonly kind: 'delay';
  readonly until: number | Promise<unknown>;
}

/** The request is neither carried out nor answered. */
export interface HangFault {
  readonly kind: 'hang';
}

export type Fault = ErrorFault | DropFault | DelayFault | HangFault;

/** Called with each request that can be read; gives what goes wrong with it. */
export type Intercept = (operation: string, body: unknown) => Fault | undefined;

/** Waits as the fault says, or until the signal is given. */
export function delay(until: DelayFault['until'], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = typeof until === 'number' ? setTimeout(done, until) : undefined;
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (typeof until !== 'number') until.then(done, done);
    if (signal.aborted) done();
    signal.addEventListener('abort', done);
  });
}
