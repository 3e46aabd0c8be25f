/** How a secret is read. */

/** Reads the text of a secret; stops when the signal aborts. */
export type FetchSecret = (signal: AbortSignal) => Promise<string>;
