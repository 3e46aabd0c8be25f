/** Finds the name that a misspelt name probably means. */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { similarNames } from 'shared/datasets/similar';
import { runs } from '../../support/fuzz';

test.each([
  ['flagg', ['value', 'flag'], 'flag'],
  ['Conc', ['conc', 'cond'], 'conc'],
  ['plantName', ['plant_name', 'plant'], 'plant_name'],
  ['temprature', ['humidity', 'temperature'], 'temperature'],
  ['siet', ['unit', 'site'], 'site'],
  ['temperature', ['temperatur', 'temp_erature', 'temperature_'], 'temp_erature'],
  ['unit', ['value', 'time'], undefined],
  ['id', ['is', 'in'], undefined],
  ['x', [], undefined],
])('%s among %j', (name, candidates, expected) => {
  expect(similarNames(candidates)(name)).toBe(expected);
});

/** All texts that swapping two neighbours makes of a text. */
const swapped = (text: string): string[] =>
  [...Array(Math.max(0, text.length - 1)).keys()].map(
    (at) => text.slice(0, at) + (text[at + 1] ?? '') + (text[at] ?? '') + text.slice(at + 2),
  );

/** All texts that one other edit makes of a text. */
function edited(text: string): string[] {
  return [...Array(text.length + 1).keys()].flatMap((at) => [
    ...['a', 'b', 'c'].flatMap((letter) => [
      text.slice(0, at) + letter + text.slice(at),
      text.slice(0, at) + letter + text.slice(at + 1),
    ]),
    text.slice(0, at) + text.slice(at + 1),
  ]);
}

test('the names of at most two edits are similar to a name of eight letters, and no others', () => {
  const names = (length: object) => fc.string({ unit: fc.constantFrom('a', 'b', 'c'), ...length });
  fc.assert(
    fc.property(names({ minLength: 8, maxLength: 8 }), names({ minLength: 5, maxLength: 11 }), (name, other) => {
      const one = [...edited(name), ...swapped(name)];
      const near = new Set([name, ...one, ...edited(name).flatMap(edited)]);
      // A swap whose letters are edited again may count as more than two.
      const mayBeNear = new Set([...near, ...one.flatMap((text) => [...edited(text), ...swapped(text)])]);
      if (near.has(other) || !mayBeNear.has(other))
        expect(similarNames([other])(name)).toBe(near.has(other) ? other : undefined);
      const [first = ''] = edited(name).slice(fc.sample(fc.nat(40), 1)[0]);
      expect(similarNames([first])(name)).toBe(first);
    }),
    runs(200),
  );
});

test('a thousand names among a thousand others take less than the time limit of a test', async () => {
  const names = (prefix: string) => Array.from({ length: 1000 }, (_, index) => `${prefix}_of_sensor_${index}`);
  const find = similarNames(names('temperature'));
  for (const name of names('humidity')) {
    expect(find(name)).toBeUndefined();
    // So that the limit can end the test.
    await setImmediate();
  }
});
