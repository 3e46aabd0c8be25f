/** Handwritten requests: each special case of Timestream or InfluxDB by itself, so every difference has its own cases. */
import { gzipSync } from 'node:zlib';
import { type Case, single } from './case';
import { BAD_LINES } from './random-cases';

/** 2024-03-01T12:00:00Z */
const AT = '1709294400000000000';
const GOOD = `m,t=good v=1 ${AT}`;
const long = (length: number, letter = 'x'): string => letter.repeat(length);

const equal: Readonly<Record<string, string>> = {
  'an empty body': '',
  'blank lines': '\n\n  \n',
  'only comments': '# one\n#two\n',
  'a missing timestamp': 'm,t=a v=1',
  'the first timestamps': 'm,t=a v=1 0\nm,t=b v=1 1',
  'a duplicate line': `m,t=a v=1 ${AT}\nm,t=a v=1 ${AT}`,
  'a point twice, the later value wins': `m,t=a v=1 ${AT}\nm,t=a v=2 ${AT}`,
  'fields of one point on two lines': `m,t=a v=1 ${AT}\nm,t=a w=2 ${AT}`,
  'fields of one point on three lines, one field twice': `m,t=a v=1 ${AT}\nm,t=a w=2,v=3 ${AT}\nm,t=a x="y" ${AT}`,
  'tags in another order': `m,a=1,b=2 v=1 ${AT}\nm,b=2,a=1 w=2 ${AT}`,
  'a field twice on one line': `m,t=a v=1,v=2 ${AT}`,
  'no newline at the end': GOOD,
  'a string over two lines': `m,t=a v="one\ntwo" ${AT}`,
  'conflicting types of a field': `m,t=a v=1 ${AT}\nm,t=b v="x" ${AT}`,
  'a field with an integer and a float': `m,t=a v=1i ${AT}\nm,t=b v=1.5 ${AT}`,
  'spaces before a line': `  m,t=a v=1 ${AT}`,
  'spaces after a line': `m,t=a v=1 ${AT}  `,
};

const special: Readonly<Record<string, readonly string[]>> = {
  'an empty string': [`m,t=a v="" ${AT}`, `m,t=a v="",w=1 ${AT}`],
  'before 1970': [`m,t=a v=1 -1`, `m,t=a v=1 -1000000000\n${GOOD}`, 'm,t=a v=1 -9223372036854775806'],
  'the future': [`m,t=a v=1 4102444800000000000`, `m,t=a v=1 9223372036854775000\n${GOOD}`],
  'no tags': [`m v=1 ${AT}`, `m v=1 ${AT}\n${GOOD}`],
  'unsigned above int64': [`m,t=a v=9223372036854775808u ${AT}`, `m,t=a u=18446744073709551615u ${AT}\n${GOOD}`],
  'unsigned and integer': [`m,t=a v=1u ${AT}\nm,t=b v=2i ${AT}`],
  'a float beyond double': [`m,t=a v=1e309 ${AT}`, `m,t=a v=-1e400 ${AT}`],
  'a reserved name': [
    `m,t=a time=1 ${AT}`,
    `m,t=a measure_value=1 ${AT}\n${GOOD}`,
    `m,measure_name=a v=1 ${AT}`,
    `m,ts_x=a v=1 ${AT}`,
    `ts_m,t=a v=1 ${AT}`,
  ],
  'a tag named time': [`m,time=a v=1 ${AT}`],
  'a tag twice': [`m,t=a,t=b v=1 ${AT}`, `m,t=a,t=a v=1 ${AT}`],
  'a colon in a tag name': [`m,a:b=c v=1 ${AT}`],
  'a tag and a field with the same name': [`m,x=a x=1 ${AT}`, `m,x=a v=1 ${AT}\nm,y=a x=1 ${AT}`],
  'above a quota': [
    `m,${long(61)}=a v=1 ${AT}`,
    `m,t=a ${long(257)}=1 ${AT}`,
    `${long(257)},t=a v=1 ${AT}`,
    `m,t=a v="${long(2049)}" ${AT}`,
    `m,t=${long(2100)} v=1 ${AT}`,
    `m,t=a ${Array.from({ length: 257 }, (_, n) => `f${n}=1`).join(',')} ${AT}`,
    `m,${Array.from({ length: 129 }, (_, n) => `t${n}=a`).join(',')} v=1 ${AT}`,
  ],
};

const requests: readonly Case[] = [
  { ...single('CRLF', `${GOOD}\r\nm,t=b v=2 ${AT}\r\n`), good: [{ body: Buffer.from(`${GOOD}\nm,t=b v=2 ${AT}`) }] },
  { ...single('a tag named _field', `m,_field=a v=1 ${AT}`), grammar: 'accepts' },
  single('the last possible timestamp', 'm,t=a v=1 9223372036854775806'),
  single('field names that differ only in case', `m,t=a load=1,Load=2 ${AT}`),
  single('a bucket that does not exist', GOOD, { bucket: 'unknown' }),
  { ...single('before the retention', 'm,t=a v=1 1'), environment: { mag_store_retention_period: '8000' } },
  { ...single('a long line', GOOD.replace('good', long(80))), environment: { max_line_bytes: '64' } },
  { ...single('a large body', `${GOOD}\n${GOOD}`), environment: { max_decompressed_bytes: '40' } },
  { name: 'gzip', requests: [{ body: gzipSync(GOOD), headers: { 'Content-Encoding': 'gzip' } }] },
  { name: 'not gzip', requests: [{ body: Buffer.from(GOOD), headers: { 'Content-Encoding': 'gzip' } }] },
  { name: 'br', requests: [{ body: Buffer.from(GOOD), headers: { 'Content-Encoding': 'br' } }] },
  single('an unknown precision', 'm,t=a v=1 1', { precision: 'm' }),
  ...['us', 'ms', 's'].map((precision) => single(`precision ${precision}`, 'm,t=a v=1 1000001', { precision })),
  {
    name: 'the same point with another value',
    requests: [`m,t=a v=1 ${AT}`, `m,t=a v=2 ${AT}`].map((text) => ({ body: Buffer.from(text) })),
  },
  {
    name: 'the same point with another field',
    requests: [`m,t=a v=1 ${AT}`, `m,t=a w=2 ${AT}`].map((text) => ({ body: Buffer.from(text) })),
  },
  {
    name: 'the same field with another type',
    requests: [`m,t=a v=1 ${AT}`, `m,t=b v="x" ${AT}`].map((text) => ({ body: Buffer.from(text) })),
  },
];

const MULTI_TABLE = { table_mapping: 'multi-table' };

export function writtenCases(): Case[] {
  const bad = BAD_LINES.flatMap((text): Case[] => [
    { ...single(`invalid line ${text}`, text), good: [], grammar: 'refuses' },
    {
      ...single(`invalid line after a valid one, ${text}`, `${GOOD}\n${text}`),
      good: [{ body: Buffer.from(GOOD) }],
      grammar: 'refuses',
    },
  ]);
  return [
    ...Object.entries(equal).map(([name, text]) => single(name, text)),
    ...Object.entries(equal).map(([name, text]) => ({
      ...single(`${name}, multi-table`, text),
      environment: MULTI_TABLE,
    })),
    ...Object.entries(special).flatMap(([name, texts]) => texts.map((text, n) => single(`${name} ${n}`, text))),
    ...requests,
    ...bad,
    ...['a b', 'é', 'a/b'].map((name) => ({
      ...single(`table ${name}`, `${name.replace(' ', '\\ ')},t=a v=1 ${AT}`),
      environment: MULTI_TABLE,
    })),
  ];
}
