/** The error of a query, in a module of its own: it can be imported without the SDK. */

/** A query failed. The message comes from the service, or says which server to start. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}
