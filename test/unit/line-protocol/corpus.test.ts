/** All cases of InfluxData's line protocol corpus. */
import { EncodingError, encodePoint } from 'shared/line-protocol/line-encoder';
import { decodePoints, type FieldValue, type Point } from 'shared/line-protocol/point';
import { type Precision, V2_PRECISIONS } from 'shared/line-protocol/precision';
import { type CorpusPoint, type CorpusText, corpusBytes, missingCorpus, readCorpus } from '../../support/corpus';

const string = (text: CorpusText): string => corpusBytes(text).toString();
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
      return { type: 'string', value: string(content as CorpusText) };
  }
}

const point = (entry: CorpusPoint): Point => ({
  measurement: string(entry.name),
  tags: entry.tags.map(({ key, value }) => [string(key), string(value)] as const),
  fields: entry.fields.map(({ key, value }) => [string(key), fieldValue(value)] as const),
  time: integer(entry.time),
});

/** The corpus writes -0 as 0. */
const withoutSignOfZero = (decoded: Point): Point => ({
  ...decoded,
  fields: decoded.fields.map(([key, value]) =>
    value.type === 'float' ? ([key, { ...value, value: value.value + 0 }] as const) : ([key, value] as const),
  ),
});

if (missingCorpus === undefined) {
  const corpus = readCorpus();

  test.each(Object.entries(corpus.decode))('decodes %s as the corpus does', (_, { input, output }) => {
    const { points, errors } = decodePoints(
      corpusBytes(input.text),
      integer(input.defaultTime),
      precision(input.precision),
    );
    if (output.error === undefined) {
      expect(errors).toEqual([]);
      expect(points.map(withoutSignOfZero)).toEqual((output.result ?? []).map(point));
    } else {
      expect(errors).not.toEqual([]);
    }
  });

  test.each(Object.entries(corpus.encode))('encodes %s as the corpus does', (_, { input, output }) => {
    const encode = () => encodePoint(point(input.point), precision(input.precision));
    if (output.error === undefined) expect(encode()).toBe(string(output.result ?? ''));
    else expect(encode).toThrow(EncodingError);
  });
} else {
  test.skip(`decodes and encodes as the corpus does [skipped: ${missingCorpus}]`, () => undefined);
}
