/** Types of columns as tags, text fields, numbers and times: every digit, or a reason. Files by pyarrow and DuckDB. */
import { readFileSync } from 'node:fs';
import { parquetOf } from '../../support/loader';
import { collect, collectFixture, fixture, memorySource, testReader } from '../../support/parquet';
import { withFooter } from '../../support/parquet-footer';
import { mapping } from '../../support/parquet-mapping';

const reader = testReader();
const strict = { validateSchema: true };

/** The values of a tag, by row. */
async function tagOf(name: string, column: string): Promise<(string | undefined)[]> {
  const { lines } = await collectFixture(reader, name, mapping({ tags: [column] }), strict);
  return lines.map((line) => new RegExp(`,${column}=(\\S*) v=`).exec(line)?.[1]);
}

describe('a tag', () => {
  test.each([
    ['tag-decimals', 'd9', ['1.10', '-0.05', undefined]],
    ['tag-decimals', 'd38', [0, 1, 2].map((last) => `1234567890123456789012345678901234567${8 + last}`.slice(0, 38))],
    ['tag-decimals', 'd76', ['-12345678901234567890123456789012345678901234567890.000001', '0.000001', '0.000000']],
    ['tag-decimals-integer', 'd9', ['1.10', '-0.05']],
    ['tag-decimals-integer', 'd18', ['-99999999999.9999999', '0.0000000']],
    ['tag-types', 'uuid', ['00000000-0000-0000-0000-000000000001', '123e4567-e89b-12d3-a456-426614174000']],
    ['tag-types', 'date', ['2024-02-29', '1969-12-31']],
    ['tag-types', 'wall', ['2024-01-01T00:00:00', '1969-12-31T23:59:59.5']],
    ['tag-types', 'instant', ['2024-01-01T00:00:00.000000001Z', '1970-01-01T00:00:00.000000001Z']],
    ['tag-types', 'time', ['00:00:00.000001', '23:59:59.999']],
    ['tag-types', 'time32', ['00:00:00', '01:00:00.5']],
    ['tag-types', 'small', ['-128', '127']],
    ['tag-types', 'large', ['18446744073709551615', '9223372036854775808']],
    ['tag-types', 'flag', ['true', undefined]],
    ['tag-types', 'single', ['0.1', '16777216']],
    ['int96-far', 't', ['2024-03-01T12:00:00Z', '1969-12-31T23:59:59.000001Z']],
  ])('of %s, column %s, has every digit', async (name, column, expected) => {
    const values = await tagOf(name, column);
    if (column === 'd38')
      expect(values).toEqual([8, 9, 10].map((add) => String(12345678901234567890123456789012345670n + BigInt(add))));
    else expect(values).toEqual(expected);
  });

  test('of a decimal in bytes of any length has every digit, also as a number', async () => {
    const file = withFooter(new Uint8Array(readFileSync(fixture('checksum'))), (footer) => {
      const type = { logical_type: { type: 'DECIMAL', precision: 12, scale: 2 }, converted_type: undefined };
      Object.assign(footer.schema[2] ?? {}, type, { scale: 2, precision: 12 });
    });
    const { lines } = await collect(reader, memorySource(file), mapping({ number: 'tag' }), strict);
    // The bytes of 'tag 0' are 0x7461672030, 499,850,354,736.
    expect(lines[0]).toBe('m,tag=4998503547.36 tag=4998503547.36 1704067200000000000');
  });

  test('of 64-bit integers that are stored in 32 bits is refused', async () => {
    const select = "SELECT TIMESTAMP '2024-01-01' AS t, 'a' AS tag, 7::INTEGER AS value";
    const file = withFooter(new Uint8Array(await parquetOf(select)), (footer) => {
      const type = { logical_type: { type: 'INTEGER', bitWidth: 64, isSigned: true }, converted_type: undefined };
      Object.assign(footer.schema[3] ?? {}, type);
    });
    await expect(collect(reader, memorySource(file), mapping({ number: 'value' }), strict)).rejects.toThrow(
      'column value is INT32 INTEGER, which is not supported',
    );
  });

  test('that is not UTF-8 is left out with a warning, and the other rows are loaded', async () => {
    const { lines, report } = await collectFixture(reader, 'latin1', mapping(), strict);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['m,tag=Nata', 'm', 'm,tag=AB']);
    expect(report.warnings).toEqual([{ kind: 'left-out', column: 'tag', value: 'unreadable', count: 1 }]);
  });

  test('that is required and not UTF-8 makes its row unreadable', async () => {
    const required = { ...mapping(), tags: { required: ['tag'], optional: [] } };
    const { lines, report } = await collectFixture(reader, 'latin1', required, strict);
    expect(lines).toHaveLength(2);
    expect(report.invalid).toMatchObject([{ reason: 'unreadable', column: 'tag', count: 1, examples: [{ row: 1 }] }]);
  });
});

describe('a text field', () => {
  test('has the text of a tag', async () => {
    const of = mapping({ tags: [], texts: ['uuid', 'large', 'instant'] });
    const { lines } = await collectFixture(reader, 'tag-types', of, strict);
    expect(lines[0]).toBe(
      'm uuid="00000000-0000-0000-0000-000000000001",large="18446744073709551615",instant="2024-01-01T00:00:00.000000001Z",v=0 1704067200000000000',
    );
  });

  test('that is not UTF-8 is the reason if a row has no other field', async () => {
    const of = mapping({ tags: [], number: 'missing', texts: ['note'] });
    const { lines, report } = await collectFixture(reader, 'latin1', of, strict);
    expect(lines).toEqual(['m note="Nata" 1704067200000000000', 'm note="AB" 1704074400000000000']);
    expect(report.invalid).toMatchObject([{ reason: 'unreadable', column: 'note', count: 1 }]);
  });

  test('that is required makes a row invalid if it is not UTF-8 or missing', async () => {
    const of = mapping({ tags: [] });
    const required = { ...of, fields: [...of.fields, { column: 'note', type: 'text' as const, required: true }] };
    const { report } = await collectFixture(reader, 'latin1', required, strict);
    expect(report).toMatchObject({ points: 2, invalid: [{ reason: 'unreadable', column: 'note', count: 1 }] });
    const missing = await collectFixture(reader, 'names', {
      ...required,
      fields: [{ column: ' v ', type: 'number' }, ...required.fields.slice(1)],
    });
    expect(missing.report.invalid).toMatchObject([{ reason: 'missing', column: 'note', count: 2 }]);
  });
});

describe('an INT96', () => {
  test.each([undefined, 'America/Sao_Paulo'])('is exact for any day, and an instant in the zone %s', async (zone) => {
    const { lines, report } = await collectFixture(reader, 'int96-far', mapping({ ...(zone && { zone }) }), strict);
    expect(lines).toEqual(['m,tag=tag\\ 0 v=0 1709294400000000000', 'm,tag=tag\\ 3 v=3 -999999000']);
    expect(report.invalid).toMatchObject([
      {
        reason: 'out-of-range',
        column: 't',
        count: 2,
        examples: [{ value: '9999-12-31T00:00:00Z' }, { value: '1000-01-01T00:00:00Z' }],
      },
    ]);
  });
});

describe('names of columns', () => {
  test.each([
    ['preço', '1'],
    ['preço2', '3'],
    [' v ', '5'],
    ['a.b', '7'],
  ])('may be %j beside others that begin alike or are nested', async (name, first) => {
    const of = mapping({ tags: [], number: name });
    const named = { ...of, fields: [{ column: name, name: 'v', type: 'number' as const }] };
    const { lines } = await collectFixture(reader, 'names', named, strict);
    expect(lines[0]).toBe(`m v=${first} 1704067200000000000`);
  });
});

test('loads the row groups of DuckDB’s second version, which are larger than a slice and packed in blocks of 2,048', async () => {
  const select = `SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS t, 'tag' AS tag, i * 7 AS v FROM range(150000) AS r(i)`;
  const file = await parquetOf(select, 'PARQUET_VERSION V2');
  const { lines } = await collect(reader, memorySource(new Uint8Array(file)), mapping(), strict);
  expect(lines).toHaveLength(150_000);
  expect(lines[149_999]).toBe(`m,tag=tag v=${149_999 * 7} ${1704067200 + 149_999}000000000`);
});
