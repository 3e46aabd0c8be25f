/** The requests of the soak test: all sizes, with and without gzip, every precision, some bad lines; no point occurs twice. */
import { gzipSync } from 'node:zlib';

export interface SoakRequest {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Number of points that must be stored. */
  readonly points: number;
  /** Expected status. */
  readonly status: number;
}

export const TABLES = ['soak_a', 'soak_b', 'soak_c', 'soak_d', 'soak_e'];

const SIZES = [1, 10, 100, 1_000, 5_000];
/** First time of each precision. Each has its own year, from 2014, so that their points do not overwrite each other. */
const PRECISIONS = [
  { name: 'ns', start: 1_388_534_400_000_000_000n },
  { name: 'us', start: 1_420_070_400_000_000n },
  { name: 'ms', start: 1_451_606_400_000n },
  { name: 's', start: 1_483_228_800n },
];
const BAD_LINES = ['broken', 'soak_a,host=a v=', 'soak_a,host=a v=1i,', 'soak_a host=a', ',=='];

let line = 0;

function goodLine(start: bigint): string {
  const n = line++;
  const table = TABLES[n % TABLES.length];
  const tags = `host=server${n % 97},region=r${n % 7},note=a\\ b\\,c`;
  return `${table},${tags} usage=${n % 100}i,ratio=${(n % 1_000) / 7},up=${n % 2 === 0},text="line ${n}, \\"x\\"" ${start + BigInt(n)}`;
}

/** @param index number of the request; all combinations occur in turn */
export function soakRequest(index: number): SoakRequest {
  const points = SIZES[index % SIZES.length] ?? 1;
  const { name, start } = PRECISIONS[Math.floor(index / SIZES.length) % PRECISIONS.length] ?? { name: 'ns', start: 0n };
  const lines = Array.from({ length: points }, () => goodLine(start));
  const isBad = index % 7 === 6;
  if (isBad) lines.splice(points >> 1, 0, BAD_LINES[index % BAD_LINES.length] ?? '');
  const text = Buffer.from(lines.join(index % 3 === 0 ? '\r\n' : '\n'));
  const isGzip = index % 2 === 0;
  return {
    query: `?org=o&bucket=b&precision=${name}`,
    headers: isGzip ? { 'Content-Encoding': 'gzip' } : {},
    body: new Uint8Array(isGzip ? gzipSync(text) : text),
    points,
    status: isBad ? 400 : 204,
  };
}
