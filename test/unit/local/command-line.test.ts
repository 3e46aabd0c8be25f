/** Commands that are printed for the user to run. */
import { execFileSync } from 'node:child_process';
import { commandLine, type Start } from '../../../local/cli/command-line';

const start: Start = { npmEvent: undefined, root: '/work/clone', isClone: true, folder: '/work/clone' };

test.each<[string, Partial<Start>, string]>([
  ['npm run', { npmEvent: 'load' }, 'npm run -s load -- x'],
  ['npx', { npmEvent: 'npx', isClone: false }, 'npx influxdb-timestream load x'],
  ['a clone, in its folder', {}, 'npx influxdb-timestream load x'],
  ['a clone, in a folder below', { folder: '/work/clone/docs' }, 'npx influxdb-timestream load x'],
  ['a clone, elsewhere', { folder: '/data' }, 'node /work/clone/bin/influxdb-timestream.mjs load x'],
  ['a clone, in the folder above', { folder: '/work' }, 'node /work/clone/bin/influxdb-timestream.mjs load x'],
  ['a clone, within another script', { npmEvent: 'test' }, 'npx influxdb-timestream load x'],
  ['an installed program', { isClone: false }, 'influxdb-timestream load x'],
])('starts the program as %s did', (_, other, expected) => {
  expect(commandLine('load', ['x'], { ...start, ...other })).toBe(expected);
});

test('quotes words so that a shell reads them unchanged', () => {
  const words = ["it's here/*.parquet", '{"name": "a\'b"}', '$HOME `x`', 'plain-1.2', '"', ''];
  const line = commandLine('load', words, { ...start, isClone: false });
  const printed = execFileSync('sh', ['-c', line.replace('influxdb-timestream load', "printf '%s\\n'")], {
    encoding: 'utf8',
  });
  expect(printed).toBe(words.map((word) => `${word}\n`).join(''));
});
