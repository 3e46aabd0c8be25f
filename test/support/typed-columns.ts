/** Columns of all types that DuckDB writes to Parquet, with what an inferred mapping stores of each value. */
import fc from 'fast-check';

/** A value as SQL, and as InfluxDB returns it, a time in ns; undefined if it is not stored. */
export interface TypedValue {
  readonly sql: string;
  readonly stored: string | undefined;
}

/** Flux's name of the type of a stored value. */
export type StoredType = 'long' | 'unsignedLong' | 'double' | 'boolean' | 'string';

export interface TypedColumn {
  readonly sqlType: string;
  readonly type: StoredType;
  /** Null for a missing value. */
  readonly values: readonly (TypedValue | null)[];
}

interface Kind {
  readonly sqlType: string;
  readonly type: StoredType;
  readonly value: fc.Arbitrary<TypedValue>;
}

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const kind = (sqlType: string, type: StoredType, value: fc.Arbitrary<TypedValue>): Kind => ({ sqlType, type, value });
const plain = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<TypedValue> =>
  values.map((value) => ({ sql: literal(String(value)), stored: String(value) }));

const integers = (bits: bigint, isSigned: boolean): fc.Arbitrary<TypedValue> => {
  const max = 2n ** (isSigned ? bits - 1n : bits) - 1n;
  const min = isSigned ? -max - 1n : 0n;
  return plain(fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n)));
};

/** The shortest decimal that reads as this float of 32 bits: the value that is written. */
function shortestSingle(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

const floats = (values: fc.Arbitrary<number>, stored: (value: number) => number): fc.Arbitrary<TypedValue> =>
  values.map((value) => ({
    sql: literal(String(value)),
    // Flux prints no sign of zero that a test could rely on.
    stored: Number.isFinite(value) ? String(stored(value) + 0) : undefined,
  }));

const decimals = fc.integer({ min: 1, max: 38 }).chain((precision) =>
  fc.integer({ min: 0, max: precision }).map((scale): Kind => {
    const max = 10n ** BigInt(precision) - 1n;
    const isInteger = scale === 0 && precision <= 18;
    const value = fc.bigInt({ min: -max, max }).map((unscaled): TypedValue => {
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
      const point = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
      const text = `${unscaled < 0n ? '-' : ''}${point}`;
      return { sql: literal(text), stored: isInteger ? text : String(Number(text) + 0) };
    });
    return kind(`DECIMAL(${precision}, ${scale})`, isInteger ? 'long' : 'double', value);
  }),
);

/** Timestamps with `digits` of a second; ns reach the years 1700 to 2250. */
function timestamps(sqlType: string, digits: number, [from, to] = [1700, 2250]): Kind {
  const range = { min: BigInt(Date.UTC(from, 0)) * 1_000_000n, max: BigInt(Date.UTC(to, 0)) * 1_000_000n };
  const step = 10n ** BigInt(9 - digits);
  const value = fc.bigInt(range).map((near): TypedValue => {
    const nanos = near - (((near % step) + step) % step);
    return { sql: literal(timeText(nanos)), stored: String(nanos) };
  });
  return kind(sqlType, 'long', value);
}

/** A time as `2024-01-01 00:00:00.000000000`, without digits that are zeros. */
export function timeText(nanos: bigint): string {
  const seconds = (nanos - (((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n;
  const rest = String(nanos - seconds * 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return rest === '' ? text : `${text}.${rest}`;
}

const isPlain = (text: string): boolean => !/[\0\r\n\\]/.test(text);
// InfluxDB 2.7 returns an empty string and the string after it in the wrong order.
const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isPlain);
const dayText = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
function dates(from: string, to: string): Kind {
  const days = fc.integer({ min: Date.parse(from) / 86_400_000, max: Date.parse(to) / 86_400_000 });
  const value = days.map((day) => ({ sql: literal(dayText(day)), stored: String(BigInt(day) * 86_400_000_000_000n) }));
  return kind('DATE', 'long', value);
}
const intervals = fc.tuple(fc.nat(1_000), fc.nat(1_000), fc.nat(86_399_999)).map(([months, days, millis]) => ({
  sql: literal(`${months} months ${days} days ${millis} milliseconds`),
  stored: `P${months}M${days}DT${millis / 1000}S`,
}));
const dayTimes = fc.integer({ min: 0, max: 86_399_999_999 }).map((micros) => {
  const text = timeText(BigInt(micros) * 1_000n).slice(11);
  return { sql: literal(text), stored: text };
});
const blobs = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => {
  // The first byte makes it no text.
  const hex = `ff${Buffer.from(bytes).toString('hex')}`;
  return { sql: `from_hex('${hex}')`, stored: hex };
});

const kinds: fc.Arbitrary<Kind> = fc.oneof(
  decimals,
  fc.constantFrom(
    kind('BOOLEAN', 'boolean', plain(fc.boolean())),
    kind('TINYINT', 'long', integers(8n, true)),
    kind('SMALLINT', 'long', integers(16n, true)),
    kind('INTEGER', 'long', integers(32n, true)),
    kind('BIGINT', 'long', integers(64n, true)),
    kind('UTINYINT', 'unsignedLong', integers(8n, false)),
    kind('USMALLINT', 'unsignedLong', integers(16n, false)),
    kind('UINTEGER', 'unsignedLong', integers(32n, false)),
    kind('UBIGINT', 'unsignedLong', integers(64n, false)),
    kind('FLOAT', 'double', floats(fc.float(), shortestSingle)),
    kind(
      'DOUBLE',
      'double',
      floats(fc.double(), (value) => value),
    ),
    kind('VARCHAR', 'string', plain(texts)),
    kind('BLOB', 'string', blobs),
    kind('UUID', 'string', plain(fc.uuid())),
    kind("ENUM('north', 'south', 'so ut,h=1')", 'string', plain(fc.constantFrom('north', 'south', 'so ut,h=1'))),
    kind('TIME', 'string', dayTimes),
    dates('1700-01-01', '2250-01-01'),
    dates('1000-01-01', '9999-12-31'),
    timestamps('TIMESTAMP_S', 0),
    timestamps('TIMESTAMP_MS', 3),
    timestamps('TIMESTAMP', 6),
    timestamps('TIMESTAMP_NS', 9),
    timestamps('TIMESTAMP', 6, [1000, 9999]),
    kind('INTERVAL', 'string', intervals),
    kind('JSON', 'string', plain(fc.json({ maxDepth: 2 }).filter(isPlain))),
    // Left out.
    kind('INTEGER[]', 'string', fc.constant({ sql: '[1, 2]', stored: undefined })),
  ),
);

/** A column with a value or null in each row; in half of the columns values repeat, as those of tags do. */
export const typedColumn = (rows: number): fc.Arbitrary<TypedColumn> =>
  fc.tuple(kinds, fc.boolean()).chain(([{ sqlType, type, value }, repeats]) => {
    const one = repeats
      ? fc
          .array(value, { minLength: 1, maxLength: 3 })
          .chain((few) => fc.array(fc.option(fc.constantFrom(...few)), { minLength: rows, maxLength: rows }))
      : fc.array(fc.option(value), { minLength: rows, maxLength: rows });
    return one.map((values) => ({ sqlType, type, values }));
  });
