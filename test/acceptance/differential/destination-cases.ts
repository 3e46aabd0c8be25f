/** Requests for the destination `influxdb`, beside those that are compared with Timestream. */
import { gzipSync } from 'node:zlib';
import { type Case, single } from './case';
import { writtenCases } from './written-cases';

/** 2024-03-01T12:00:00Z, in ns. */
const AT = 1_709_294_400_000_000_000n;

const V1_UNITS = { n: 1n, ns: 1n, u: 1_000n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n };
const V2_UNITS = { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n };
const FORMS = 'm,t=a f=1.50,i=-7i,u=18446744073709551615u,b=T,s="a \\"b\\" \\\\ é"';

const v1 = (query: string): string => `/write?db={bucket}${query}`;

/** Points without a timestamp: InfluxDB gives those of a request one time, so of one series and field only the last stays. */
const WITHOUT_TIME = 'm,t=a v=1\nm,t=b v=2\nm,t=a v=3\nm,t=a w=4\nm u=5u';

const precisions: readonly Case[] = [
  ...Object.entries(V2_UNITS).flatMap(([precision, unit]) => [
    single(`v2 precision ${precision}`, `${FORMS} ${AT / unit}`, { precision }),
    single(`v2 precision ${precision}, before 1970`, `${FORMS} -${AT / unit}\n${FORMS} -1`, { precision }),
    single(`v2 precision ${precision}, without timestamps`, WITHOUT_TIME, { precision }),
    single(`v2 precision ${precision}, some timestamps`, `m,t=a v=1\nm,t=a v=2 ${AT / unit}  \nm,t=a v=3`, {
      precision,
    }),
    single(`v2 precision ${precision}, beyond the last time`, `m,t=a v=1 ${(2n ** 63n - 1n) / unit + 1n}`, {
      precision,
    }),
  ]),
  ...Object.entries(V1_UNITS).flatMap(([precision, unit]) => [
    single(`v1 precision ${precision}`, `${FORMS} ${AT / unit}`, { path: v1(`&precision=${precision}`) }),
    single(`v1 precision ${precision}, without timestamps`, WITHOUT_TIME, { path: v1(`&precision=${precision}`) }),
  ]),
  single('v1 precision m', `${FORMS} ${AT / 60_000_000_000n}\nm,t=a v=2 -1`, { path: v1('&precision=m') }),
  single('v1 precision h', `${FORMS} ${AT / 3_600_000_000_000n}\nm,t=a v=2 -1`, { path: v1('&precision=h') }),
  single('v1 without a precision', `${FORMS} ${AT}`, { path: v1('') }),
  single('v1 with an empty precision', `${FORMS} ${AT}`, { path: v1('&precision=') }),
  ...['m', 'h', 'n', 'minutes', 'NS'].map((precision) => single(`v2 precision ${precision}`, FORMS, { precision })),
  ...['minutes', 'd', 'S'].map((unit) => single(`v1 precision ${unit}`, FORMS, { path: v1(`&precision=${unit}`) })),
];

const GOOD = `m,t=a v=1 ${AT}`;

const places: readonly Case[] = [
  single('a bucket that does not exist', GOOD, { bucket: 'unknown' }),
  single('an organization that does not exist', GOOD, { org: 'unknown' }),
  single('no bucket', GOOD, { path: '/api/v2/write?org=ons-energy' }),
  single('an empty bucket', GOOD, { path: '/api/v2/write?org=ons-energy&bucket=' }),
  single('no organization', GOOD, { path: '/api/v2/write?bucket={bucket}' }),
  single('a database that does not exist', GOOD, { path: '/write?db=unknown' }),
  single('a retention policy that does not exist', GOOD, { path: '/write?db={bucket}&rp=unknown' }),
  single('the retention policy autogen', GOOD, { path: '/write?db={bucket}&rp=autogen' }),
  single('no database', GOOD, { path: '/write?precision=s' }),
  single('an invalid line for a bucket that does not exist', 'm', { bucket: 'unknown' }),
  single('an empty body for a bucket that does not exist', '', { bucket: 'unknown' }),
];

const text = (...lines: readonly string[]) => ({ body: Buffer.from(lines.join('\n')) });

/** Conflicting types: within a request, with an earlier one, in the first or the last of many lines. */
const conflicts: readonly Case[] = [
  { name: 'a type conflict with an earlier request', requests: [text(GOOD), text(`m,t=b v="x" ${AT}`)] },
  {
    name: 'a type conflict in one of many lines',
    requests: [
      text(GOOD),
      text(...Array.from({ length: 500 }, (_, n) => `m,t=b${n} v=${n === 321 ? 'true' : n} ${AT}`)),
    ],
  },
  {
    name: 'type conflicts of several fields and measurements',
    requests: [
      text(`m,t=a v=1,w=2i ${AT}`, `n\\ o,t=a s="x" ${AT}`),
      text(`m,t=b v=1i ${AT}`, `m,t=b w=2 ${AT}`, `n\\ o,t=b s=1 ${AT}`, `m,t=c v=4,w=5i ${AT}`, `p,t=a v=1u ${AT}`),
    ],
  },
  { name: 'a conflict of one field keeps the other fields', requests: [text(GOOD), text(`m,t=b v="x",w=2 ${AT}`)] },
  { name: 'each type against each other', requests: [text(...typed(0)), text(...typed(1)), text(...typed(2))] },
  single('types in conflict within a request, the first wins', `m,t=a v=1 ${AT}\nm,t=b v=2i ${AT}\nm,t=c v=3 ${AT}`),
];

function typed(shift: number): string[] {
  const values = ['1.5', '2i', '3u', 'true', '"x"'];
  return values.map((_, n) => `m,t=a${shift} f${n}=${values[(n + shift) % values.length]} ${AT}`);
}

const DAY_NS = 86_400_000_000_000n;
/** Points for a bucket that keeps 30 days: old and new ones, alone and together. */
function retentions(): Case[] {
  const now = BigInt(Date.now()) * 1_000_000n;
  const [old, fresh] = [now - 90n * DAY_NS, now - 1n * DAY_NS];
  const retentionSeconds = 30 * 86_400;
  const cases = {
    'points before the retention': `m,t=a v=1 ${old}\nm,t=b v=2 ${old + 7n}`,
    'some points before the retention': `m,t=a v=1 ${old}\nm,t=b v=2 ${fresh}\nm,t=c v=3 ${old}\nm,t=d v=4 ${fresh}`,
    'points within the retention': `m,t=a v=1 ${fresh}`,
    'a point before the retention beside one without a timestamp': `m,t=a v=1 ${old}\nm,t=b v=2`,
  };
  return [
    ...Object.entries(cases).map(([name, lines]): Case => ({ ...single(name, lines), retentionSeconds })),
    {
      ...single('before the retention, in seconds', `m,t=a v=1 ${old / 1_000_000_000n}`, { precision: 's' }),
      retentionSeconds,
    },
    {
      name: 'a type conflict and points before the retention',
      requests: [text(`m,t=a v=1 ${fresh}`), text(`m,t=b v=2i ${fresh}`, `m,t=c v=3 ${old}`, `m,t=d v=4 ${fresh}`)],
      retentionSeconds,
    },
  ];
}

/** Bytes that are not sent as they are, or that InfluxDB reads in another way. */
const forms: readonly Case[] = [
  ...['ns', 's'].map((precision) =>
    withoutReturns(`CRLF, precision ${precision}`, `m,t=a v=1 7\r\nm,t=b s="x"\r\nm,t=c b=t 8`, precision),
  ),
  withoutReturns('CRLF without timestamps', 'm,t=a v=1i\r\nm,t=b s="x"\r\nm,t=c v=2i\r\n'),
  withoutReturns('CR at the end', `m,t=a v=1 ${AT}\r`),
  withoutReturns('CRLF, and in a string', `m,t=a s="one\r\ntwo" ${AT}\r\nm,t=b v=1 ${AT}\r\n`),
  { ...single('a byte order mark', `\ufeff${GOOD}`), good: [text(GOOD)] },
  { ...single('a comment that ends in a backslash', `# x\\\n${GOOD}`), good: [text(GOOD)] },
  single('a line break after a backslash in a tag value', `m,t=a\\\nb v=1 ${AT}\nm,t=c v=2 ${AT}`),
];

function withoutReturns(name: string, lines: string, precision = 'ns'): Case {
  const good = lines.replace(/\r\n(?!two)/g, '\n').replace(/\r$/, '');
  return { ...single(name, lines, { precision }), good: [{ ...text(good), precision }] };
}

const sizes: readonly Case[] = [
  single(
    'more lines than a batch',
    Array.from({ length: 12_345 }, (_, n) => `m,t=${n % 9} v=${n},n=${n}i ${AT + BigInt(n)}`).join('\n'),
  ),
  {
    name: 'gzip without timestamps',
    requests: [{ body: gzipSync(WITHOUT_TIME), headers: { 'Content-Encoding': 'gzip' } }],
  },
  single('a string of 60,000 bytes', `m,t=a v="${'é'.repeat(30_000)}" ${AT}`),
  ...forms,
  single('lines with all kinds of ends', `m,t=a v=1 ${AT}\n\n# x\n  m,t=b v=2 ${AT} \nm,t=c v=3 ${AT}`),
];

/** The cases of the connector that do not depend on tables of Timestream, and more. */
export const destinationCases = (): Case[] => [
  ...writtenCases().filter(({ environment }) => environment?.table_mapping === undefined),
  ...precisions,
  ...places,
  ...conflicts,
  ...retentions(),
  ...sizes,
];
