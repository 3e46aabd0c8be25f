/** InfluxData's line protocol corpus: one case per distinct input. */
import { corpusBytes, readCorpus } from '../../support/corpus';
import type { Case } from './case';

export function corpusCases(): Case[] {
  const cases = new Map<string, Case>();
  for (const [key, { input, output }] of Object.entries(readCorpus().decode)) {
    const body = corpusBytes(input.text);
    const precision = input.precision.replace('1', '').replace('µ', 'u');
    const grammar = output.error === undefined ? 'accepts' : 'refuses';
    const identity = `${precision} ${body.toString('base64')}`;
    cases.set(identity, { name: `corpus ${key}`, requests: [{ body, precision }], grammar });
  }
  return [...cases.values()];
}
