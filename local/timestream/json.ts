/** JSON with 64-bit integers: record versions may be nanoseconds, which a JavaScript number cannot represent exactly. */
import { ServiceError } from './errors';

// A quote inside a JSON string is always escaped, so this text can only be a member's name.
const LONG_VERSION = /"Version"\s*:\s*(\d{16,})/g;
const MARK = '\u0001long:';
// Half of a surrogate pair, which has no UTF-8, can only come from an escape. DuckDB stores U+FFFD for it, so the text is compared as that.
const SURROGATE = /\\u[dD][89a-fA-F]/;
const MARKED = /"\\u0001long:(-?\d+)"/g;

/** Parses a request; versions with 16 or more digits become bigints. @throws SerializationException */
export function parseJson(text: string): unknown {
  try {
    const marked = text.replace(LONG_VERSION, `"Version":"\\u0001long:$1"`);
    if (marked === text && !(text.includes('\\u') && SURROGATE.test(text))) return JSON.parse(text);
    return JSON.parse(marked, (_, value: unknown) => {
      if (typeof value !== 'string') return value;
      return value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value.toWellFormed();
    });
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
