/** Reads the JSON documents of an export. */
import type { z } from 'zod';
import { DataConversionError, InvalidEventError } from '../errors';
import { validate } from '../validation';

/** @throws DataConversionError that lists every problem of the document */
export function parseDocument<T>(schema: z.ZodType<T>, text: string, name: string): T {
  try {
    return validate(schema, JSON.parse(text), name);
  } catch (cause) {
    const message = cause instanceof InvalidEventError ? cause.message : `${name} is not JSON`;
    throw new DataConversionError(message, { object: name, cause });
  }
}
