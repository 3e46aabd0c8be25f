import { loadRedriveConfig } from 'shared/config';
import { readSettings, settingsOf } from '../../../local/command/settings';

const OPTIONS = { DEAD_LETTER_QUEUE_URL: 'queue', MESSAGES_PER_SECOND: 'rate', MAX_TRIES: 'max-tries' };
const ENVIRONMENT = { PARKING_QUEUE_URL: 'https://p', WRITE_FUNCTION_NAME: 'w', MAX_TRIES: '0' };

test('an option wins over the environment', () => {
  expect(settingsOf(OPTIONS, { 'max-tries': '7', rate: undefined }, ENVIRONMENT)).toEqual({
    ...ENVIRONMENT,
    MAX_TRIES: '7',
  });
});

test('a problem is that of the option, also of one that is missing, unless the environment has the value', () => {
  const settings = settingsOf(OPTIONS, { rate: 'x' }, ENVIRONMENT);
  expect(() => readSettings(loadRedriveConfig, settings, OPTIONS, ENVIRONMENT)).toThrow(
    expect.objectContaining({
      problems: [
        expect.stringMatching(/^--queue is missing/),
        expect.stringMatching(/^--rate must be a whole number .*'x'$/),
        expect.stringMatching(/^MAX_TRIES must be a whole number .*'0'$/),
      ],
    }),
  );
});
