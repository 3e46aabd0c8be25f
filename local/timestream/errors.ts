/** The errors that the embedded Timestream returns: their types, HTTP statuses and JSON bodies. */

/** HTTP statuses of the service model; every other error has 400. */
const STATUS: Readonly<Record<string, number>> = {
  ServiceQuotaExceededException: 402,
  AccessDeniedException: 403,
  ResourceNotFoundException: 404,
  ConflictException: 409,
  RejectedRecordsException: 419,
  InvalidEndpointException: 421,
  ThrottlingException: 429,
  InternalServerException: 500,
};

/** Types defined by the protocol, not by the service's model. */
const PROTOCOL_TYPES = new Set(['SerializationException', 'UnknownOperationException']);

/** An error response; `extra` are members of the body in addition to the type and the message. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';

  constructor(
    readonly type: string,
    message: string,
    readonly extra: Readonly<Record<string, unknown>> = {},
    readonly status: number = STATUS[type] ?? 400,
  ) {
    super(message);
  }

  /** The members of the JSON body. */
  body(): Record<string, unknown> {
    const namespace = PROTOCOL_TYPES.has(this.type) ? 'com.amazon.coral.service' : 'com.amazonaws.timestream.v20181101';
    return { __type: `${namespace}#${this.type}`, Message: this.message, message: this.message, ...this.extra };
  }
}

export const validationError = (message: string) => new ServiceError('ValidationException', message);

/** The error for a member that breaks a constraint of the service's model, with the same text as the service. */
export const constraintError = (path: string, value: unknown, constraint: string) =>
  validationError(
    `1 validation error detected: Value ${value === null ? 'null' : `'${String(value).slice(0, 200)}'`} at '${path}' ` +
      `failed to satisfy constraint: ${constraint}`,
  );
