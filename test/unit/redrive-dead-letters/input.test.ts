import { readRedriveInput } from '../../../functions/redrive-dead-letters/input';

test('an empty input is a run over the dead letters, as long as the configuration lets it', () => {
  expect(readRedriveInput({})).toEqual({ from: 'dead-letters', dryRun: false, maxLetters: undefined });
});

test('an input may name the queue, a bound and a dry run', () => {
  const input = { from: 'parking', dryRun: true, maxLetters: 7 };
  expect(readRedriveInput(input)).toEqual(input);
});

test.each([
  [null, 'an object'],
  [[], 'an object'],
  ['{}', 'an object'],
  [{ dryrun: true }, "'dryrun'"],
  [{ from: 'elsewhere' }, "'from'"],
  [{ dryRun: 'true' }, "'dryRun'"],
  [{ maxLetters: 0 }, "'maxLetters'"],
  [{ maxLetters: 1.5 }, "'maxLetters'"],
  [{ maxLetters: '7' }, "'maxLetters'"],
])('%j is refused', (input, reason) => {
  expect(() => readRedriveInput(input)).toThrow(reason);
});
