import { readRedriveInput } from '../../../functions/redrive-dead-letters/input';

test('an empty input is a run over the dead-letter messages, as long as the configuration lets it', () => {
  expect(readRedriveInput({})).toEqual({ from: 'dead-letters', dryRun: false, maxMessages: undefined });
});

test('an input may name the queue, a bound and a dry run', () => {
  const input = { from: 'parking', dryRun: true, maxMessages: 7 };
  expect(readRedriveInput(input)).toEqual(input);
});

test.each([
  [null, 'an object'],
  [[], 'an object'],
  ['{}', 'an object'],
  [{ dryrun: true }, "'dryrun'"],
  [{ from: 'elsewhere' }, "'from'"],
  [{ dryRun: 'true' }, "'dryRun'"],
  [{ maxMessages: 0 }, "'maxMessages'"],
  [{ maxMessages: 1.5 }, "'maxMessages'"],
  [{ maxMessages: '7' }, "'maxMessages'"],
])('%j is refused', (input, reason) => {
  expect(() => readRedriveInput(input)).toThrow(reason);
});
