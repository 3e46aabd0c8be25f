/** Reads JSON objects one by one from JSON Lines or from one large array, without loading the whole text into memory. */
import { DataConversionError } from '../errors';

const [QUOTE, BACKSLASH, OPEN, CLOSE, NEWLINE] = [0x22, 0x5c, 0x7b, 0x7d, 0x0a];
/** Bytes between objects: white space, the brackets and commas of an array, and a byte order mark. */
const BETWEEN: ReadonlySet<number> = new Set(Buffer.from(' \t\r\n,[]\uFEFF'));

/** Maximum size of an object. The items of a plan and their results have a few KB. */
const MAX_OBJECT_BYTES = 1024 * 1024;

/**
 * The outermost objects of a text that arrives in chunks: the lines of JSON Lines, or the members of a JSON array.
 * @param name of the text, for error messages
 * @throws DataConversionError if there is anything but objects, or an object is not valid JSON, is incomplete, or is larger than 1 MB
 */
export async function* jsonObjects(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<unknown> {
  let depth = 0;
  let inText = false;
  let escaped = false;
  let count = 0;
  let line = 1;
  let partial: Uint8Array[] = [];
  let partialBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === NEWLINE) line += 1;
      if (depth === 0 && byte !== OPEN) {
        if (!BETWEEN.has(byte)) throw notAnObject(name, line, byte);
      } else if (inText) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inText = false;
      } else if (byte === QUOTE) inText = true;
      else if (byte === OPEN) {
        if (depth++ === 0) start = i;
      } else if (byte === CLOSE && --depth === 0) {
        yield parse(Buffer.concat([...partial, chunk.subarray(start, i + 1)]).toString('utf8'), name, ++count);
        partial = [];
        partialBytes = 0;
      }
    }
    if (depth === 0) continue;
    partial.push(chunk.subarray(start));
    partialBytes += chunk.length - start;
    if (partialBytes > MAX_OBJECT_BYTES) {
      throw new DataConversionError(`${name}: object ${count + 1} is larger than 1 MB`, { object: name });
    }
  }
  if (depth !== 0) throw new DataConversionError(`${name}: ends within object ${count + 1}`, { object: name });
}

function notAnObject(name: string, line: number, byte: number): DataConversionError {
  const found = byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `byte 0x${byte.toString(16).padStart(2, '0')}`;
  return new DataConversionError(`${name}: line ${line} must have JSON objects only, but has ${found} outside of one`, {
    object: name,
  });
}

function parse(text: string, name: string, number: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataConversionError(`${name}: object ${number} is not JSON`, { object: name, cause });
  }
}
