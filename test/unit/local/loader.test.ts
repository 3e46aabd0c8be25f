/** What the command line takes and shows. */
import { loadLoaderConfig } from 'shared/loader-config';
import { readArguments } from '../../../local/loader/arguments';
import { Progress } from '../../../local/loader/progress';
import { localSource } from '../../../local/loader/source';

describe('arguments', () => {
  const settingsOf = (argv: string[], environment = {}) =>
    readArguments(['file.parquet', ...argv], environment)?.settings ?? {};

  it('are settings of the functions, and win over the environment', () => {
    const argv = [
      '--url',
      'http://a:1',
      '--token',
      't',
      '--engine',
      'v3',
      '--batch-size',
      '5',
      '--max-retries',
      '0',
      '--concurrency',
      '2',
    ];
    const environment = { INFLUXDB_URL: 'http://b:1', INFLUXDB_ORG: 'org', INFLUXDB_TOKEN_SECRET_NAME: 'secret' };
    expect(loadLoaderConfig(settingsOf(argv, environment))).toMatchObject({
      target: { url: 'http://a:1', org: 'org', bucket: 'energy_data', engine: 'v3' },
      token: { value: 't' },
      batchLimits: { lines: 5 },
      maxRetries: 0,
      concurrency: 2,
    });
  });

  it('leave the token to the environment, and need none for a local connector', () => {
    expect(loadLoaderConfig(settingsOf([], { INFLUXDB_TOKEN_SECRET_NAME: 'name' })).token).toEqual({
      secretName: 'name',
    });
    expect(loadLoaderConfig(settingsOf([])).token).toEqual({ value: 'none' });
  });

  it.each([
    [['--token', 't'], {}, 'the token is wrong'],
    [[], { INFLUXDB_TOKEN: 't' }, 'the token is wrong'],
    [[], {}, 'no token was given: use --token'],
  ])('tell a wrong token from none: %j %j', (argv, environment, advice) => {
    expect(readArguments(['file.parquet', ...argv], environment)?.advice.unauthorized).toContain(advice);
  });

  it.each([
    ['no source', [], 'name a file'],
    ['two sources', ['a', 'b'], 'name one source'],
    ['an unknown option', ['a', '--urll', 'x'], '--urll'],
    ['an option without its value', ['a', '--url'], '--url'],
    ['a tolerance that is none', ['a', '--tolerate', 'x'], '--tolerate'],
  ])('with %s are refused', (_, argv, message) => {
    expect(() => readArguments(argv, {})).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }),
    );
  });

  it('may ask for help', () => {
    expect(readArguments(['--help'], {})).toBeUndefined();
  });
});

describe('a source', () => {
  const AP = 'arn:aws:s3:us-east-1:123456789012:accesspoint/ap';

  it.each([
    ['s3://b/in/a.parquet', { bucket: 'b', key: 'in/a.parquet' }],
    ['s3://b/in/', { bucket: 'b', prefix: 'in/' }],
    [`s3://${AP}/in/a.PQ`, { bucket: AP, key: 'in/a.PQ' }],
    [`s3://${AP}/in`, { bucket: AP, prefix: 'in' }],
  ])('%s is %p', async (source, input) => {
    expect((await localSource(source, '/nowhere')).input).toEqual(input);
  });

  it.each(['s3://', 's3://b', 's3://b/', 's3:///key'])('%s is refused', async (source) => {
    await expect(localSource(source, '/nowhere')).rejects.toMatchObject({ name: 'UsageError' });
  });
});

describe('progress', () => {
  let now = 0;
  let text = '';
  const progressOn = (isTTY: boolean) => {
    now = 0;
    text = '';
    const output = { isTTY, write: (part: string) => (text += part) };
    const progress = new Progress(output, () => now);
    progress.addTotal(1_000_000);
    return progress;
  };

  it('is a bar with rows, rate and time left on a terminal', () => {
    const progress = progressOn(true);
    now = 10_000;
    progress.add(250_000);
    expect(text).toBe('\r\u001b[K[========                      ] 25% 250,000 of 1,000,000 rows, 25,000/s 30 s left');
  });

  it('is drawn anew five times a second at most', () => {
    const progress = progressOn(true);
    for (now = 0; now < 1000; now += 10) progress.add(1);
    expect(text.split('\r')).toHaveLength(1 + 5);
  });

  it('is a plain line now and then elsewhere, and one at the end', () => {
    const progress = progressOn(false);
    for (now = 0; now < 12_000; now += 100) progress.add(5000);
    progress.add(400_000);
    progress.end();
    const lines = text.split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[3]).toBe('100% 1,000,000 of 1,000,000 rows, 83,333/s in 12 s');
    expect(text).not.toContain('\r');
  });

  it('is silent about a load that ended before its rows were known', () => {
    let shown = '';
    new Progress({ write: (part: string) => (shown += part) }).end();
    expect(shown).toBe('');
  });

  it('shows messages on lines of their own', () => {
    progressOn(true).note('a write has to be repeated');
    expect(text).toBe('\r\u001b[Ka write has to be repeated\n');
  });
});
