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
  ['temperature', ['temperatur', 'temp_erature', 'temperature_'], 'temp_erature'],
  ['unit', ['value', 'time'], undefined],
  ['id', ['is', 'in'], undefined],
  ['x', [], undefined],
])('%s among %j', (name, candidates, expected) => {
  expect(similarNames(candidates)(name)).toBe(expected);
});

/** All texts that one edit makes of a text. */
function edited(text: string): string[] {
  return [...Array(text.length + 1).keys()].flatMap((at) => [
    ...['a', 'b', 'c'].flatMap((letter) => [
      text.slice(0, at) + letter + text.slice(at),
      text.slice(0, at) + letter + text.slice(at + 1),
    ]),
    text.slice(0, at) + text.slice(at + 1),
  ]);
}

test('exactly the names of at most two edits are similar to a name of eight letters', () => {
  const names = (length: object) => fc.string({ unit: fc.constantFrom('a', 'b', 'c'), ...length });
  fc.assert(
    fc.property(names({ minLength: 8, maxLength: 8 }), names({ minLength: 5, maxLength: 11 }), (name, other) => {
      const near = new Set([name, ...edited(name), ...edited(name).flatMap(edited)]);
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
