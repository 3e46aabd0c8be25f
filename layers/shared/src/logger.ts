/** Structured JSON logs: one line per entry, without secrets and stack traces. */
import { Logger as PowertoolsLogger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

export type LogFields = Readonly<Record<string, unknown>>;

/** The logger that the code of the layer uses; tests pass their own. */
export interface Logger {
  debug(message: string, ...fields: LogFields[]): void;
  info(message: string, ...fields: LogFields[]): void;
  warn(message: string, ...fields: LogFields[]): void;
  error(message: string, ...fields: LogFields[]): void;
}

/** The logger of a Lambda function. Each handler first calls `addContext`, which adds the id of the invocation to every entry. */
export interface FunctionLogger extends Logger {
  addContext(context: Context): void;
  /** Adds fields to every entry from now on; a field of the same name is replaced. An empty text is left out. */
  appendKeys(fields: LogFields): void;
}

const MAX_TEXT = 2000;
const SECRET_KEY = /token|secret|password|authorization|credential|signature/i;
const SECRET_IN_TEXT = /\b((?:Token|Bearer|Basic)\s+)[\w.~+/=-]{8,}|([?&](?:u|p|token|X-Amz-Signature)=)[^&\s]+/gi;

/**
 * Creates a logger that writes JSON Lines to stdout (errors to stderr): level, message, timestamp, service and the given fields.
 * Hides fields with the name of a secret, and credentials in texts. Truncates texts to 2,000 characters.
 * @param service the function's name
 */
export function createLogger(service: string, level: LogLevel): FunctionLogger {
  return new PowertoolsLogger({ serviceName: service, logLevel: level, jsonReplacerFn: fitToLog });
}

function fitToLog(key: string, value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message, cause: value.cause };
  if (typeof value !== 'string') return value;
  if (SECRET_KEY.test(key)) return '***';
  const text = value.replace(SECRET_IN_TEXT, '$1$2***');
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}... (${text.length} characters)` : text;
}
