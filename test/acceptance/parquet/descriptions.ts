/** Descriptions of random Parquet files of generation data, for their writers. */
import fc from 'fast-check';

export interface Column {
  readonly name: string;
  /** The type, and the set from which values are drawn; both writers know it. */
  readonly kind: string;
  /** The share of nulls. */
  readonly nulls: number;
}

export interface Description {
  readonly seed: number;
  readonly rows: number;
  /** Time between two rows, us. */
  readonly step: number;
  readonly columns: readonly Column[];
  /** Options of the writer. */
  readonly options: Readonly<Record<string, unknown>>;
}

const NUMBERS = [
  ...['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'],
  ...['float32', 'float64', 'decimal9', 'decimal18', 'decimal38', 'boolean', 'numeric-text'],
];
const TIMES = ['s', 'ms', 'us', 'ns', 'zoned', 'date32', 'text'];
/** The range of the time's type, us. */
const LEAST_STEP: Readonly<Record<string, number>> = { s: 1_000_000, ms: 1_000 };

/** The kinds that both writers support, and those of one writer. */
interface Kinds {
  readonly tags: readonly string[];
  readonly texts: readonly string[];
  readonly options: (time: string, columns: readonly Column[]) => fc.Arbitrary<Readonly<Record<string, unknown>>>;
}

const COMPRESSIONS = ['snappy', 'gzip', 'zstd', 'brotli'];

/** The encodings for a kind of column. Source: "Encodings" of the Parquet format. */
function encodingOf(kind: string): string | undefined {
  if (/^u?int|^time-(s|ms|us|ns|zoned|date32)$/.test(kind)) return 'DELTA_BINARY_PACKED';
  if (/^float/.test(kind)) return 'BYTE_STREAM_SPLIT';
  if (/^(text|region|source|time-text|numeric-text)/.test(kind)) return 'DELTA_BYTE_ARRAY';
  if (/^(tag$|tag-large|unit|measurement)/.test(kind)) return 'DELTA_LENGTH_BYTE_ARRAY';
  return kind === 'boolean' ? 'RLE' : undefined;
}

export const PYARROW: Kinds = {
  tags: ['tag', 'tag-large', 'tag-dictionary'],
  texts: ['text', 'text-view'],
  options: (time, columns) =>
    fc
      .record({
        compression: fc.constantFrom('none', 'lz4', ...COMPRESSIONS),
        row_group_size: fc.integer({ min: 7, max: 400 }),
        data_page_size: fc.constantFrom(100, 1_000, 1_000_000),
        data_page_version: fc.constantFrom('1.0', '2.0'),
        version: fc.constantFrom('1.0', '2.4', '2.6'),
        store_schema: fc.boolean(),
        encodings: fc.constantFrom('dictionary', 'plain', 'delta'),
        use_deprecated_int96_timestamps: fc
          .constant(time === 'us')
          .chain((is) => (is ? fc.boolean() : fc.constant(false))),
      })
      .map(({ encodings, ...options }) => {
        // Only version 2 of the format has columns in ns; INT96 supports no delta encoding.
        const version = time === 'ns' ? '2.6' : options.version;
        if (encodings !== 'delta') return { ...options, version, use_dictionary: encodings === 'dictionary' };
        const encoded = columns.flatMap(({ name, kind }) => {
          const encoding =
            options.use_deprecated_int96_timestamps && name === 'timestamp' ? undefined : encodingOf(kind);
          return encoding === undefined ? [] : [[name, encoding]];
        });
        return { ...options, version, use_dictionary: false, column_encoding: Object.fromEntries(encoded) };
      }),
};

export const DUCKDB: Kinds = {
  tags: ['tag'],
  texts: ['text'],
  options: (_, columns) =>
    fc.record({
      COMPRESSION: fc.constantFrom('uncompressed', 'lz4_raw', ...COMPRESSIONS),
      // DuckDB 1.5 writes unsigned 32-bit columns wrong with V2: pyarrow and the loader both report a damaged file.
      PARQUET_VERSION: fc.constantFrom('V1', columns.some(({ kind }) => kind === 'uint32') ? 'V1' : 'V2'),
      ROW_GROUP_SIZE: fc.constant(2_048),
    }),
};

function description({ tags, texts, options }: Kinds, mostRows: number): fc.Arbitrary<Description> {
  const nulls = fc.constantFrom(0, 0.02, 0.1);
  const column = (name: string, ...kinds: readonly string[]) =>
    fc.record({ name: fc.constant(name), kind: fc.constantFrom(...kinds), nulls });
  const maybe = (each: fc.Arbitrary<Column>) => fc.option(each, { freq: 3 });
  return fc
    .record({
      seed: fc.nat(),
      rows: fc.integer({ min: 40, max: mostRows }),
      time: fc.constantFrom(...TIMES),
      steps: fc.integer({ min: 1, max: 900 }),
      required: fc.tuple(
        column('region', 'region'),
        column('energy_source', 'source'),
        column('measurement_type', 'measurement'),
        column('value', ...NUMBERS),
        column('unit', 'unit'),
      ),
      optional: fc.tuple(
        maybe(column('plant_name', ...tags)),
        maybe(column('operator', ...tags)),
        maybe(column('quality_flag', ...texts)),
        maybe(column('capacity_mw', ...NUMBERS)),
        maybe(column('efficiency', ...NUMBERS)),
        maybe(column('processing_metadata_tree', 'struct', 'list', 'map')),
        maybe(column('processing_metadata_note', 'text')),
      ),
    })
    .chain(({ seed, rows, time, steps, required, optional }) => {
      const timestamp = { name: 'timestamp', kind: `time-${time}`, nulls: 0 };
      const columns = [timestamp, ...required, ...optional.filter((each) => each !== null)];
      const step = steps * (LEAST_STEP[time] ?? 1);
      return options(time, columns).map((chosen) => ({ seed, rows, step, columns, options: chosen }));
    });
}

/** Returns the given number of descriptions; the same seed gives the same ones. */
export function descriptions(kinds: Kinds, seed: number, count: number, mostRows: number): Description[] {
  return fc.sample(description(kinds, mostRows), { seed, numRuns: count });
}
