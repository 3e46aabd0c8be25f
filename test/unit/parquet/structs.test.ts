/** The columns of structs, in files by pyarrow: their values by path, and elements that are not columns. */
import { readFileSync } from 'node:fs';
import { readFooter } from 'shared/parquet/footer';
import { collectFixture, fixture, testReader } from '../../support/parquet';
import { mapping } from '../../support/parquet-mapping';
import { recordedTables, textsOf } from '../../support/recorded-tables';

const reader = testReader();
const strict = { validateSchema: true };
const bytesOf = (name: string) => new Uint8Array(readFileSync(fixture(name)));

describe('a column of a struct', () => {
  test.each([
    ['structs', 'a.b.c', ['1', '2', null, null, '5']],
    ['structs', 'a.b.d', ['x', null, null, null, 'y']],
    ['structs', 'flat.p', ['0', '1', '2', '3', '4']],
    ['structs', 'flat.q', [null, null, null, null, null]],
    ['structs-required', 'r.n', ['0', '1', '2', '3']],
    ['structs-required', 'r.o', ['0', null, '2', '3']],
    ['structs-required', 's.n', ['0', '1', null, '3']],
    ['names', 'a.b', ['7.0', '8.0'].map((value) => String(Number(value)))],
  ])('of %s, %s, has the values below structs that are not null', async (name, column, expected) => {
    const texts = await textsOf(recordedTables(bytesOf(name)), [column]);
    expect(texts.get(column)).toEqual(expected);
  });

  test('is a tag and a field beside flat columns, under its path', async () => {
    const of = mapping({ tags: ['a.b.d'], number: 'v', texts: ['a.b.c'] });
    const { lines } = await collectFixture(reader, 'structs', of, strict);
    expect(lines.slice(0, 3)).toEqual([
      'm,a.b.d=x a.b.c="1",v=0 1704067200000000000',
      'm a.b.c="2",v=1 1704070800000000000',
      'm v=2 1704074400000000000',
    ]);
  });

  test('is found by a pattern, which does not mean the struct itself', async () => {
    const fields = [{ columns: '*', except: ['a.l', 'a.m', 'x.*', 't'], type: 'string' as const }];
    const { lines } = await collectFixture(reader, 'structs', { ...mapping({ tags: [] }), fields }, strict);
    expect(lines[0]).toContain('a.b.c="1",a.b.d="x"');
  });

  test('is meant by a pattern that also fits its struct', async () => {
    const of = { ...mapping({ tags: [] }), fields: [{ columns: 'flat*', type: 'integer' as const }] };
    const { lines } = await collectFixture(reader, 'structs', of, strict);
    expect(lines[1]).toBe('m flat.p=1i 1704070800000000000');
  });

  test.each([
    ['a', /column a is a struct: only flat columns can be used, such as a\.b$/],
    ['a.b', /column a\.b is a struct: only flat columns can be used, such as a\.b\.c$/],
    ['a.l', /column a\.l is a LIST: only flat columns can be used/],
    ['a.m', /column a\.m is a MAP: only flat columns can be used/],
    ['x.y.z', /column x\.y\.z is there 2 times: give each column its own name/],
  ])('is none: %s is refused with the reason', async (column, reason) => {
    await expect(collectFixture(reader, 'structs', mapping({ tags: [column] }), strict)).rejects.toThrow(reason);
  });

  test('below a list or map is not a column', () => {
    const file = bytesOf('structs');
    const { columns } = readFooter(file, file.length);
    expect(columns.map(({ name }) => name)).toEqual([
      't',
      'v',
      'a',
      'a.b',
      'a.b.c',
      'a.b.d',
      'a.l',
      'a.m',
      'flat',
      'flat.p',
      'flat.q',
      'x',
      'x.y.z',
      'x.y',
    ]);
    const structs = columns.filter(({ type }) => type.kind === 'unusable' && type.isStruct);
    expect(structs.map(({ name }) => name)).toEqual(['a', 'a.b', 'flat', 'x', 'x.y']);
  });
});
