/** InfluxData's line protocol corpus, each distinct input a case. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Case } from './case';

const FILE =
  process.env.LINE_PROTOCOL_CORPUS ?? path.resolve(__dirname, '../../../../shared/data/line-protocol-corpus.json');

export const missingCorpus = existsSync(FILE)
  ? undefined
  : 'no corpus: LINE_PROTOCOL_CORPUS names the JSON that github.com/influxdata/line-protocol-corpus makes';

type Text = string | { readonly binary: string };
interface Corpus {
  readonly decode: Readonly<
    Record<string, { input: { text: Text; precision: string }; output: { error?: string; result?: unknown } }>
  >;
}

export function corpusCases(): Case[] {
  const { decode } = JSON.parse(readFileSync(FILE, 'utf8')) as Corpus;
  const cases = new Map<string, Case>();
  for (const [key, { input, output }] of Object.entries(decode)) {
    const body = typeof input.text === 'string' ? Buffer.from(input.text) : Buffer.from(input.text.binary, 'base64');
    const precision = input.precision.replace('1', '').replace('µ', 'u');
    const grammar = output.error === undefined ? 'accepts' : 'refuses';
    const identity = `${precision} ${body.toString('base64')}`;
    cases.set(identity, { name: `corpus ${key}`, requests: [{ body, precision }], grammar });
  }
  return [...cases.values()];
}
