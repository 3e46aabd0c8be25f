/** Faults that tests inject into the handling of a request. */

/** An error instead of the normal response. With `after` the request is carried out first. */
export interface ErrorFault {
  readonly kind: 'error';
  readonly type: string;
  readonly message?: string;
  /** By default the status of the error type. */
  readonly status?: number;
  /** Further members of the body, such as RejectedRecords. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly when?: 'before' | 'after';
}

/** The connection breaks, before or after the request is carried out. */
export interface DropFault {
  readonly kind: 'drop';
  readonly when: 'before' | 'after';
}

/** The request is carried out after a delay: after this time in ms, or when the promise settles. */
export interface DelayFault {
  readonly kind: 'delay';
  readonly until: number | Promise<unknown>;
}

/** The request is not carried out and gets no response. */
export interface HangFault {
  readonly kind: 'hang';
}

export type Fault = ErrorFault | DropFault | DelayFault | HangFault;

/** Called with each valid request. Returns the fault to inject, or undefined. */
export type Intercept = (operation: string, body: unknown) => Fault | undefined;

/** Waits until the delay of the fault ends or the signal aborts. */
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
