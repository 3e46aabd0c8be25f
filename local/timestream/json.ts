/** JSON with 64-bit integers: record versions may be nanoseconds, which a JavaScript number cannot represent exactly. */
import { ServiceError } from './errors';

// A quote inside a JSON string is always escaped, so this text can only be a member's name.
const LONG_VERSION = /"Version"\s*:\s*(\d{16,})/g;
const MARK = '\u0001long:';
const MARKED = /"\\u0001long:(-?\d+)"/g;

/** Parses a request; versions with 16 or more digits become bigints. @throws SerializationException */
export function parseJson(text: string): unknown {
  try {
    const marked = text.replace(LONG_VERSION, `"Version":"\\u0001long:$1"`);
    if (marked === text) return JSON.parse(text);
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
    );
  } catch (error) {
    throw new ServiceError(
      'SerializationException',
      `The request is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Serializes a response; bigints become JSON numbers. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'bigint' ? `${MARK}${member}` : member,
  );
  return text.replace(MARKED, '$1');
}
