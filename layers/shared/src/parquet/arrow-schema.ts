/**
 * An Arrow schema that makes parquet-wasm return columns as dictionaries: the values of a chunk once, and a code for each row. It is the
 * metadata `ARROW:schema` of a Parquet file: a FlatBuffers message, in base64.
 * Source of the tables and their numbers: https://github.com/apache/arrow/blob/main/format/Schema.fbs and Message.fbs
 */
import { Builder, type Offset } from 'flatbuffers';

/** The name of a column below its groups, and whether it is returned as a dictionary of bytes. */
export interface SchemaColumn {
  readonly path: readonly string[];
  readonly isCoded: boolean;
}

const VERSION_5 = 4;
const HEADER_SCHEMA = 1;
const TYPE = { null: 1, int: 2, binary: 4, struct: 13 } as const;
const CODE_BITS = 32;
/** Begins a message of this version, before its length. */
const CONTINUATION = [0xff, 0xff, 0xff, 0xff];

/** Columns that are not coded have the type null, which parquet-wasm replaces by the type of the Parquet schema. */
export function arrowSchema(columns: readonly SchemaColumn[]): string {
  const builder = new Builder(1024);
  const fields = vectorOf(
    builder,
    columns.map(({ path, isCoded }) => fieldOf(builder, path, isCoded)),
  );
  const schema = table(builder, 4, () => builder.addFieldOffset(1, fields, 0));
  const message = table(builder, 5, () => {
    builder.addFieldInt16(0, VERSION_5, 0);
    builder.addFieldInt8(1, HEADER_SCHEMA, 0);
    builder.addFieldOffset(2, schema, 0);
  });
  builder.finish(message);
  const bytes = builder.asUint8Array();
  const length = new DataView(new ArrayBuffer(4));
  length.setInt32(0, bytes.length, true);
  return Buffer.concat([Buffer.from(CONTINUATION), Buffer.from(length.buffer), bytes]).toString('base64');
}

function fieldOf(builder: Builder, [first = '', ...below]: readonly string[], isCoded: boolean): Offset {
  const children = vectorOf(builder, below.length > 0 ? [fieldOf(builder, below, isCoded)] : []);
  const name = builder.createString(first);
  const kind = below.length > 0 ? TYPE.struct : isCoded ? TYPE.binary : TYPE.null;
  const type = table(builder, 0, () => undefined);
  const dictionary = kind === TYPE.binary ? dictionaryOf(builder) : 0;
  return table(builder, 7, () => {
    builder.addFieldOffset(0, name, 0);
    builder.addFieldInt8(1, 1, 0); // nullable
    builder.addFieldInt8(2, kind, 0);
    builder.addFieldOffset(3, type, 0);
    builder.addFieldOffset(4, dictionary, 0);
    builder.addFieldOffset(5, children, 0);
  });
}

/** Codes of signed integers; the number of the dictionary, 0, has no meaning here. */
function dictionaryOf(builder: Builder): Offset {
  const codes = table(builder, 2, () => {
    builder.addFieldInt32(0, CODE_BITS, 0);
    builder.addFieldInt8(1, 1, 0); // signed
  });
  return table(builder, 4, () => builder.addFieldOffset(1, codes, 0));
}

function table(builder: Builder, fields: number, add: () => void): Offset {
  builder.startObject(fields);
  add();
  return builder.endObject();
}

function vectorOf(builder: Builder, offsets: readonly Offset[]): Offset {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}
