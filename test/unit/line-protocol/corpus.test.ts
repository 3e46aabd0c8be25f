/**
 * InfluxData's line protocol corpus, where it is at hand: LINE_PROTOCOL_CORPUS names the file, or it lies beside the project in
 * shared/data. Its `decode` cases hold input and points or an error, its `encode` cases a point and its line.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EncodingError, encodePoint } from 'shared/line-protocol/encoder';
import { decodePoints, type FieldValue, type Point } from 'shared/line-protocol/point';
import { type Precision, V2_PRECISIONS } from 'shared/line-protocol/precision';

type Text = string | { binary: string };
interface CorpusPoint {
  time: string;
  name: Text;
  tags: { key: Text; value: Text }[];
  fields: { key: Text; value: Record<string, unknown> }[];
}
interface Corpus {
  decode: Record<
    string,
    {
      input: { text: Text; defaultTime: string; precision: string };
      output: { result?: CorpusPoint[]; error?: string };
    }
  >;
  encode: Record<
    string,
    { input: { point: CorpusPoint; precision: string }; output: { result?: Text; error?: string } }
  >;
}

const file =
  process.env.LINE_PROTOCOL_CORPUS ?? path.resolve(__dirname, '../../../../shared/data/line-protocol-corpus.json');

/** Numbers become strings with `#` before them, as some are beyond the integers of a double. */
const readCorpus = (): Corpus =>
  JSON.parse(
    readFileSync(file, 'utf8').replace(
      /("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)/g,
      (_, text?: string, number?: string) => text ?? `"#${number}"`,
    ),
  ) as Corpus;

const bytes = (text: Text): Buffer =>
  typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.binary, 'base64');
const string = (text: Text): string => bytes(text).toString();
const integer = (number: unknown): bigint => BigInt(String(number).slice(1));

function precision(name: string): Precision {
  const found = V2_PRECISIONS.get(name.replace(/^1/, '').replace('µ', 'u'));
  if (!found) throw new Error(`unknown precision ${name}`);
  return found;
}

function fieldValue(value: Record<string, unknown>): FieldValue {
  const [[type, content]] = Object.entries(value);
  switch (type) {
    case 'float':
      return { type: 'float', value: Number(String(content).slice(1)) };
    case 'int':
      return { type: 'integer', value: integer(content) };
    case 'uint':
      return { type: 'unsigned', value: integer(content) };
    case 'bool':
      return { type: 'boolean', value: content === true };
    default:
      return { type: 'string', value: string(content as Text) };
  }
}

const point = (entry: CorpusPoint): Point => ({
  measurement: string(entry.name),
  tags: entry.tags.map(({ key, value }) => [string(key), string(value)] as const),
  fields: entry.fields.map(({ key, value }) => [string(key), fieldValue(value)] as const),
  time: integer(entry.time),
});

if (existsSync(file)) {
  const corpus = readCorpus();

  test.each(Object.entries(corpus.decode))('decodes %s as the corpus does', (_, { input, output }) => {
    const { points, faults } = decodePoints(bytes(input.text), integer(input.defaultTime), precision(input.precision));
    if (output.error === undefined) {
      expect(faults).toEqual([]);
      expect(points).toEqual((output.result ?? []).map(point));
    } else {
      expect(faults).not.toEqual([]);
    }
  });

  test.each(Object.entries(corpus.encode))('encodes %s as the corpus does', (_, { input, output }) => {
    const encode = () => encodePoint(point(input.point), precision(input.precision));
    if (output.error === undefined) expect(encode()).toBe(string(output.result ?? ''));
    else expect(encode).toThrow(EncodingError);
  });
} else {
  test.skip(`corpus: ${file} is not here (set LINE_PROTOCOL_CORPUS)`, () => undefined);
}
