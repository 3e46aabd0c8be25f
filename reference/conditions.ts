/** The conditions of the template in words, by the parameters that they depend on. */
import { code } from './markdown';
import { at, type Template, type Value } from './template';

/** Conditions of the template that are true together; `!Name` is one that is false. */
export type When = readonly string[];

/** Phrases such as "with `InfluxDBUrl`", of which all are true; each once. @throws where a condition has an unknown form */
export function phrasesOf(template: Template, when: When): string[] {
  return [...new Set(when.flatMap((name) => phrases(template, { Condition: name.replace('!', '') }, name[0] === '!')))];
}

function phrases(template: Template, value: Value | undefined, isNegated: boolean): string[] {
  const name = at(value, 'Condition');
  if (typeof name === 'string') return phrases(template, template.Conditions[name], isNegated);
  const not = at(value, 'Fn::Not', 0);
  if (not !== undefined) return phrases(template, not, !isNegated);
  const equals = at(value, 'Fn::Equals');
  if (equals !== undefined) return [comparison(String(at(equals, 0, 'Ref')), String(at(equals, 1)), isNegated)];
  const [all, any] = [at(value, 'Fn::And'), at(value, 'Fn::Or')];
  const parts = [all ?? any ?? []].flat().map((part) => phrases(template, part, isNegated).join(' and '));
  if (parts.length === 0) throw new Error(`the condition ${JSON.stringify(value)} has an unknown form`);
  // Not (a and b) is not a, or not b.
  return (all !== undefined) === isNegated ? [parts.join(' or ')] : parts;
}

function comparison(parameter: string, value: string, isNegated: boolean): string {
  if (value === '') return `${isNegated ? 'with' : 'without'} ${code(parameter)}`;
  return `${isNegated ? 'unless' : 'with'} ${code(`${parameter}=${value}`)}`;
}
