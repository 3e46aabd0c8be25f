/** Patterns of paths and columns match what the regular expressions of their definition match, and take no longer for hostile names. */
import fc from 'fast-check';
import { columnPattern } from 'shared/datasets/column-pattern';
import { pathPattern } from 'shared/datasets/path-pattern';
import { runs } from '../support/fuzz';

const letters = fc.string({ unit: fc.constantFrom('a', 'b', '_', '.'), maxLength: 3 });

test('a pattern of columns matches as `.*` for each `*` does', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }),
      (pattern, name) => {
        expect(columnPattern(pattern)(name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name));
      },
    ),
    runs(2000),
  );
});

const segment = fc
  .array(fc.oneof(letters, fc.constantFrom('*', '{}')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''))
  .filter((text) => text !== '' && !text.includes('**'));

test('a pattern of a path finds the parts that a backtracking regular expression finds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(segment, fc.constant('**')), { minLength: 1, maxLength: 4 }),
      fc.array(letters, { minLength: 1, maxLength: 5 }),
      (segments, folders) => {
        let names = 0;
        const pattern = segments.join('/').replaceAll('{}', () => `{n${names++}}`);
        const key = folders.join('/');
        const expression = segments.map((text, index) => {
          const isLast = index === segments.length - 1;
          if (text === '**') return isLast ? '.+' : '(?:[^/]+/)*?';
          const inSegment = text.replaceAll('.', '\\.').replaceAll('*', '[^/]*').replaceAll('{}', '([^/]+?)');
          return isLast ? inSegment : `${inSegment}/`;
        });
        const expected = new RegExp(`(?:^|/)${expression.join('')}$`).exec(key)?.slice(1);
        const found = pathPattern(pattern)(key);
        expect(found && [...found.values()]).toEqual(expected);
      },
    ),
    runs(5000),
  );
});

test('long names that nearly match take milliseconds, not minutes', () => {
  expect(columnPattern('*a*a*a*a*a*b')('a'.repeat(2000))).toBe(false);
  expect(pathPattern('{a}_{b}_{c}_{d}_{e}.parquet')('_'.repeat(1000))).toBeUndefined();
  expect(pathPattern('**/a/**/a/**/a/**/a/b')('a/'.repeat(500))).toBeUndefined();
});
