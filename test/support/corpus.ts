/**
 * InfluxData's line protocol corpus: LINE_PROTOCOL_CORPUS names its corpus.json. `.ci/run` fetches the published version as a Go
 * module. A `decode` case has an input and points or an error, an `encode` case a point and its line.
 */
import { existsSync, readFileSync } from 'node:fs';

export type CorpusText = string | { readonly binary: string };

export interface CorpusPoint {
  readonly time: string;
  readonly name: CorpusText;
  readonly tags: readonly { readonly key: CorpusText; readonly value: CorpusText }[];
  readonly fields: readonly { readonly key: CorpusText; readonly value: Readonly<Record<string, unknown>> }[];
}

/** Numbers are strings that begin with `#`, because a double cannot represent some integers. */
export interface Corpus {
  readonly decode: Readonly<
    Record<
      string,
      {
        readonly input: { readonly text: CorpusText; readonly defaultTime: string; readonly precision: string };
        readonly output: { readonly result?: readonly CorpusPoint[]; readonly error?: string };
      }
    >
  >;
  readonly encode: Readonly<
    Record<
      string,
      {
        readonly input: { readonly point: CorpusPoint; readonly precision: string };
        readonly output: { readonly result?: CorpusText; readonly error?: string };
      }
    >
  >;
}

const file = process.env.LINE_PROTOCOL_CORPUS;

/** Why the corpus is missing, and how to get it; undefined if it exists. */
export const missingCorpus =
  file !== undefined && existsSync(file)
    ? undefined
    : 'no corpus: set LINE_PROTOCOL_CORPUS to the corpus.json of github.com/influxdata/line-protocol-corpus';

/**
 * Cases in which the corpus differs from github.com/influxdata/line-protocol v2.2.1, InfluxData's later implementation of the same
 * grammar, which this project follows there.
 */
const SUPERSEDED: ReadonlySet<string> = new Set([
  // A control character in a tag value, `m,k=x\x01y v=1`: the corpus refuses it as in every other key and value.
  'd2968e6b9b0b309f305736677940b36c',
  // The float 6632243 written as 6.632243e+06: the same number.
  '34f17db4b263f6f2647d931eae615510',
]);

/** Reads the corpus without the superseded cases. @throws Error if it is missing: see missingCorpus */
export function readCorpus(): Corpus {
  if (file === undefined) throw new Error(missingCorpus);
  const text = readFileSync(file, 'utf8');
  const quoted = text.replace(
    /("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)/g,
    (_, string?: string, number?: string) => string ?? `"#${number}"`,
  );
  const { decode, encode } = JSON.parse(quoted) as Corpus;
  const current = <T>(cases: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(cases).filter(([key]) => !SUPERSEDED.has(key)));
  return { decode: current(decode), encode: current(encode) };
}

export const corpusBytes = (text: CorpusText): Buffer =>
  typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.binary, 'base64');
