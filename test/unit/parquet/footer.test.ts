/** Footers that contradict themselves or the file, and columns that cannot be used. */
import { readFileSync } from 'node:fs';
import type { ColumnChunk, FileMetaData } from 'hyparquet';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import type { DatasetMapping } from 'shared/datasets/mapping';
import { readFooter } from 'shared/parquet/footer';
import { readPageHeader } from 'shared/parquet/format';
import { collect, collectFixture, fixture, generation, memorySource, testReader } from '../../support/parquet';
import { withFooter } from '../../support/parquet-footer';
import { mapping } from '../../support/parquet-mapping';

const reader = testReader();
const points = new Uint8Array(readFileSync(fixture('checksum')));
const strict = { validateSchema: true };
const load = (edit: (footer: FileMetaData) => void, of: DatasetMapping = mapping()) =>
  collect(reader, memorySource(withFooter(points, edit)), of, strict);

/** The metadata of a chunk of the first row group; of column v by default. */
function chunk(footer: FileMetaData, column = 2): Required<ColumnChunk>['meta_data'] {
  const data = footer.row_groups[0]?.columns[column]?.meta_data;
  if (!data) throw new Error('no such chunk');
  return data;
}

const chunkOfNothing: ColumnChunk = { file_offset: 0n };

describe('a footer', () => {
  const footerOf = (edit: (footer: FileMetaData) => void) => () => {
    const file = withFooter(points, edit);
    return readFooter(file, file.length);
  };
  const group = (footer: FileMetaData) => footer.row_groups[0] ?? ({} as never);

  test.each<[string, (footer: FileMetaData) => void, RegExp]>([
    ['of a negative count of rows', (footer) => (footer.num_rows = -1n), /the footer counts -1 rows/],
    ['of a row group of negative rows', (footer) => (group(footer).num_rows = -3n), /row group 0 counts -3 rows/],
    [
      'of more rows than its row groups have',
      (footer) => (footer.num_rows = 4n),
      /its footer counts 4 rows, its row groups have 3/,
    ],
    [
      'of a row group beyond what one can hold',
      (footer) => (group(footer).num_rows = 2n ** 40n),
      /row group 0 counts 1,099,511,627,776 rows/,
    ],
    [
      'of a missing column chunk',
      (footer) => group(footer).columns.pop(),
      /row group 0 has 2 column chunks, the schema 3/,
    ],
  ])('%s is refused', (_, edit, fault) => {
    expect(footerOf(edit)).toThrow(fault);
  });

  test('of more column chunks than any known file has is refused before they are looked at', () => {
    const columns = Array.from({ length: 10_000 }, () => chunkOfNothing);
    const file = withFooter(points, (footer) => {
      const [root, time] = footer.schema;
      if (!root || !time) throw new Error('no schema');
      footer.schema = [{ ...root, num_children: 10_000 }, ...columns.map(() => time)];
      footer.row_groups = Array.from({ length: 51 }, () => ({ columns, num_rows: 0n, total_byte_size: 0n }));
    });
    expect(() => readFooter(file, file.length)).toThrow(
      'its footer counts 510,000 column chunks, the limit is 500,000',
    );
  });

  test('with fewer rows than its row groups gives the rows of the row groups', async () => {
    expect(footerOf((footer) => (footer.num_rows = 0n))().rows).toBe(3);
    expect((await load((footer) => (footer.num_rows = 0n))).lines).toHaveLength(3);
  });

  test('whose count of rows differs from the pages is refused, with both counts', async () => {
    for (const rows of [2n, 4n]) {
      const loaded = load((footer) => {
        footer.num_rows = rows;
        group(footer).num_rows = rows;
      });
      await expect(loaded).rejects.toThrow(
        /row group 0: column \w+ has 3 rows in its pages, its row group counts [24]/,
      );
    }
  });

  describe('of a file without mapped columns, as its path supplies them all', () => {
    const supplied = new Map([
      ['time', '2024-01-01T00:00:00Z'],
      ['region', 'norte'],
      ['power', '5'],
    ]);
    const of = mapping({ time: 'time', tags: ['region'], number: 'power' });
    const loadRows = (edit: (footer: FileMetaData) => void) =>
      collect(reader, memorySource(withFooter(points, edit)), of, { ...strict, partitions: supplied });

    test('gives a point for each row', async () => {
      const { lines, report } = await loadRows(() => undefined);
      expect(lines).toEqual(Array(3).fill('m,region=norte power=5 1704067200000000000'));
      expect(report).toMatchObject({ rows: 3, points: 3, duplicates: 2 });
    });

    test('is refused if its pages have other rows', async () => {
      const loaded = loadRows((footer) => {
        group(footer).num_rows = 2n ** 20n;
      });
      await expect(loaded).rejects.toThrow(/column \w+ has 3 rows in its pages, its row group counts 1,048,576/);
    });

    test('is refused if none of its columns can be read', async () => {
      const loaded = loadRows((footer) => {
        for (const { meta_data } of group(footer).columns) if (meta_data) meta_data.codec = 'LZO';
      });
      await expect(loaded).rejects.toThrow('it has no column that can be read, so that its rows cannot be counted');
    });
  });

  test.each([10, 100, 1_000_000])('that begins with an integer of %i bytes is refused at once', (bytes) => {
    const footer = Buffer.concat([
      Buffer.from([0x16]),
      Buffer.alloc(bytes, 0xff),
      Buffer.alloc(4),
      Buffer.from('PAR1'),
    ]);
    footer.writeUInt32LE(bytes + 1, footer.length - 8);
    expect(() => readFooter(footer, footer.length + 4)).toThrow('FileMetaData has an integer of more than 64 bits');
  });

  test('larger than 32 MB is not read', async () => {
    const size = 2 ** 31;
    const end = Buffer.alloc(65536);
    end.writeUInt32LE(1.5e9, end.length - 8);
    end.write('PAR1', end.length - 4);
    const ranges: number[] = [];
    const source = {
      ...memorySource(end),
      size,
      readRange: (from: number, to: number) => {
        ranges.push(to - from);
        return Promise.resolve(new Uint8Array(end));
      },
    };
    await expect(reader.inspect(source)).rejects.toThrow('its footer has 1500000008 bytes, the limit is 33554432');
    expect(ranges).toEqual([65536]);
  });
});

describe('a column', () => {
  test.each<[string, (footer: FileMetaData) => void, RegExp]>([
    [
      'beyond the end of the file',
      (footer) => (chunk(footer).data_page_offset = 1_000_000n),
      /column v is at bytes 1000000 to/,
    ],
    ['longer than the file', (footer) => (chunk(footer).total_compressed_size = 2n ** 40n), /column v is at bytes/],
    ['of a negative length', (footer) => (chunk(footer).total_compressed_size = -1n), /column v is at bytes/],
    [
      'compressed with LZO',
      (footer) => (chunk(footer).codec = 'LZO'),
      /column v is compressed with LZO, which is not supported/,
    ],
    [
      'of an unknown codec',
      (footer) => (chunk(footer).codec = 'X' as never),
      /column v is compressed with an unknown codec/,
    ],
    [
      'of an unknown encoding',
      (footer) => (chunk(footer).encodings = ['X' as never]),
      /column v has an unknown encoding/,
    ],
    [
      'of another type than the schema says',
      (footer) => (chunk(footer).type = 'INT64'),
      /column v contradicts the schema/,
    ],
    [
      'in another file',
      (footer) => Object.assign(footer.row_groups[0]?.columns[2] ?? {}, { file_path: 'other.parquet' }),
      /column v lies in another file, other.parquet/,
    ],
    [
      'of too many rows for its bytes',
      (footer) => {
        for (const group of footer.row_groups) group.num_rows = 2n ** 31n - 1n;
      },
      /column v has 2,147,483,647 rows in \d+ bytes/,
    ],
  ])('%s is refused where it is mapped', async (_, edit, fault) => {
    await expect(load(edit)).rejects.toMatchObject({ name: 'DataConversionError', object: 's3://bucket/key.parquet' });
    await expect(load(edit)).rejects.toThrow(fault);
  });

  test('that is not mapped may have any of these errors', async () => {
    const { lines } = await load(
      (footer) => {
        chunk(footer, 1).codec = 'LZO';
        chunk(footer, 1).data_page_offset = 1_000_000n;
      },
      mapping({ tags: [] }),
    );
    expect(lines[2]).toBe('m v=2 1704074400000000000');
  });

  test.each<[string, (footer: FileMetaData) => void, RegExp]>([
    [
      'repeated',
      (footer) => Object.assign(footer.schema[2] ?? {}, { repetition_type: 'REPEATED' }),
      /column tag is repeated \(a list\): only flat columns can be used/,
    ],
    [
      'of an unknown repetition',
      (footer) => Object.assign(footer.schema[2] ?? {}, { repetition_type: 'X' }),
      /column tag has an unknown repetition/,
    ],
    [
      'a struct of a required column',
      (footer) => {
        const [, , tag] = footer.schema;
        if (!tag) throw new Error('no such column');
        footer.schema.splice(
          2,
          1,
          { name: 'tag', num_children: 1, repetition_type: 'REQUIRED' },
          { ...tag, name: 'a' },
        );
        chunk(footer, 1).path_in_schema = ['tag', 'a'];
      },
      /column tag is a struct: only flat columns can be used/,
    ],
  ])('that is %s is refused where it is mapped, and other columns load', async (_, edit, fault) => {
    await expect(load(edit)).rejects.toThrow(fault);
    expect((await load(edit, mapping({ tags: [] }))).lines).toHaveLength(3);
  });

  test('that is encrypted is refused as encrypted, and other columns load', async () => {
    await expect(collectFixture(reader, 'encrypted-column', mapping(), strict)).rejects.toThrow(
      'column v is encrypted',
    );
    const { lines } = await collectFixture(reader, 'encrypted-column', mapping({ number: 'w' }), strict);
    expect(lines[0]).toBe('m,tag=tag\\ 0 w=7 1704067200000000000');
  });

  test('with the name of another column is refused', async () => {
    await expect(collectFixture(reader, 'duplicate-names', mapping({ tags: [] }), strict)).rejects.toThrow(
      'column v is there 2 times: give each column its own name',
    );
  });

  test.each([
    ['a list', 'value-list', 'value', /column value is a LIST: only flat columns can be used/],
    [
      'a struct beside a column of a name with a dot',
      'names',
      'a',
      /column a is a struct whose column b is not read, because a flat column is named a\.b: rename one of them/,
    ],
    [
      'bytes of a fixed length',
      'tag-types',
      'fixed',
      /column fixed has bytes that are not text.*\(it is FIXED_LEN_BYTE_ARRAY\(2\)\)/,
    ],
  ])('that is %s is refused as tag, and never left out so that series merge', async (_, name, column, fault) => {
    const of = mapping({ tags: [column], ...(name === 'value-list' && { time: 'timestamp', number: 'value' }) });
    await expect(collectFixture(reader, name, of, strict)).rejects.toThrow(fault);
    const lenient = await collectFixture(reader, name, of);
    expect(lenient.lines).toEqual([]);
    expect(lenient.report.invalid).toMatchObject([{ reason: 'unreadable', column }]);
  });

  test.each([
    ['BSON', /column tag has bytes that are not text.*BYTE_ARRAY BSON/],
    ['GEOMETRY', /column tag has bytes that are not text.*BYTE_ARRAY GEOMETRY/],
    ['VARIANT', /column tag is BYTE_ARRAY VARIANT.*which is not supported/],
  ] as const)('of the logical type %s is refused as text', async (type, reason) => {
    const file = withFooter(points, (footer) => {
      Object.assign(footer.schema[2] ?? {}, { logical_type: { type }, converted_type: undefined });
    });
    await expect(collect(reader, memorySource(file), mapping(), strict)).rejects.toThrow(reason);
  });

  test.each<[string, object, object]>([
    ['BYTE_ARRAY BSON', { logical_type: { type: 'BSON' } }, { kind: 'bytes', length: undefined }],
    ['BYTE_ARRAY BSON of an old writer', { converted_type: 'BSON' }, { kind: 'bytes', length: undefined }],
    ['BYTE_ARRAY GEOMETRY', { logical_type: { type: 'GEOMETRY' } }, { kind: 'bytes', length: undefined }],
    ['BYTE_ARRAY alone', {}, { kind: 'text' }],
    ['FIXED_LEN_BYTE_ARRAY alone', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 5 }, { kind: 'bytes', length: 5 }],
    ['UUID', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } }, { kind: 'uuid' }],
  ])('that is stored as %s has its bytes', (_, change, type) => {
    const file = withFooter(points, (footer) => {
      Object.assign(footer.schema[2] ?? {}, { logical_type: undefined, converted_type: undefined, ...change });
      delete chunk(footer, 1).statistics;
      chunk(footer, 1).type = footer.schema[2]?.type ?? 'BYTE_ARRAY';
    });
    expect(readFooter(file, file.length).columns[1]).toMatchObject({ name: 'tag', type });
  });
});

describe('a page', () => {
  test('whose header has a value of another type is refused', async () => {
    const loaded = collectFixture(reader, 'damaged/page-header-types', generation, strict);
    await expect(loaded).rejects.toMatchObject({ name: 'DataConversionError' });
    await expect(loaded).rejects.toThrow(/row group 0: column timestamp has a corrupt header of page 0/);
  });

  test('whose checksum does not match its bytes is refused', async () => {
    expect((await collect(reader, memorySource(points), mapping(), strict)).lines).toHaveLength(3);
    const damaged = withFooter(points, () => undefined);
    const { data_page_offset: start, total_compressed_size: length } = chunk(parquetMetadata(damaged));
    const last = Number(start + length) - 1;
    damaged[last] = (damaged[last] ?? 0) ^ 1;
    const loaded = collect(reader, memorySource(damaged), mapping(), strict);
    await expect(loaded).rejects.toThrow(
      'row group 0: column v is damaged: the checksum of page 0 does not match its bytes',
    );
  });

  describe('beyond the size of a chunk that lacks the header of its dictionary', () => {
    const written = new Uint8Array(readFileSync(fixture('codec-none')));
    const shortened = (createdBy: string) =>
      withFooter(written, (footer) => {
        footer.created_by = createdBy;
        for (const { meta_data: data } of footer.row_groups.flatMap(({ columns }) => columns)) {
          if (data?.dictionary_page_offset === undefined) continue;
          const input = { bytes: written, offset: Number(data.dictionary_page_offset) };
          readPageHeader(input);
          data.total_compressed_size -= BigInt(input.offset) - data.dictionary_page_offset;
        }
      });

    test.each(['parquet-mr version 1.2.8 (build abc)', 'parquet-mr'])('is read if %s wrote it', async (createdBy) => {
      const { lines } = await collect(reader, memorySource(shortened(createdBy)), generation, strict);
      expect(lines).toEqual((await collect(reader, memorySource(written), generation, strict)).lines);
    });

    test.each(['parquet-mr version 1.2.9', 'parquet-cpp version 1.0.0'])(
      'is refused if %s wrote it',
      async (createdBy) => {
        const loaded = collect(reader, memorySource(shortened(createdBy)), generation, strict);
        await expect(loaded).rejects.toThrow(/is truncated: page 1 ends beyond it/);
      },
    );
  });

  test('of codes whose dictionary has fewer values than its header says is refused, with its column', async () => {
    // PageHeader with type DICTIONARY_PAGE, no bytes, and DictionaryPageHeader with 30 values, PLAIN.
    const header = Buffer.from('1504150015004c153c15000000', 'hex');
    const damaged = new Uint8Array(readFileSync(fixture('codec-none')));
    const file = withFooter(damaged, (footer) => {
      const text = footer.row_groups[0]?.columns.find(
        ({ meta_data: data }) => data?.path_in_schema[0] === 'energy_source',
      );
      const data = text?.meta_data;
      if (!data?.dictionary_page_offset) throw new Error('no dictionary');
      const start = data.data_page_offset - BigInt(header.length);
      damaged.set(header, Number(start));
      data.total_compressed_size -= start - data.dictionary_page_offset;
      data.dictionary_page_offset = start;
    });
    const loaded = collect(reader, memorySource(file), generation, strict);
    await expect(loaded).rejects.toMatchObject({ name: 'DataConversionError', rowGroup: 0 });
    await expect(loaded).rejects.toThrow(/column energy_source .*cannot be decoded/);
  });

  test('that ends beyond its column chunk is refused', async () => {
    const loaded = load((footer) => {
      chunk(footer).total_compressed_size -= 3n;
    });
    await expect(loaded).rejects.toThrow('row group 0: column v is truncated: page 0 ends beyond it');
  });
});
