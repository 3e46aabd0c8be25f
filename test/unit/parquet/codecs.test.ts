/** Compressed pages as some writers frame them. */
import { gzipSync } from 'node:zlib';
import { parquetOf } from '../../support/loader';
import { collect, memorySource, testReader } from '../../support/parquet';
import { mapping } from '../../support/parquet-mapping';
import { recompressed } from '../../support/recompressed-parquet';

const reader = testReader();
const SELECT = `SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS t, 'tag ' || i % 7 AS tag, i * 1.5 AS v FROM range(500) AS r(i)`;

/** An LZ4 block of literals: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */
function lz4Literals(bytes: Uint8Array): Buffer {
  const token = Math.min(15, bytes.length) << 4;
  const lengths: number[] = [];
  for (let rest = bytes.length - 15; rest >= 0; rest -= 255) lengths.push(Math.min(255, rest));
  return Buffer.concat([Buffer.from([token, ...lengths]), bytes]);
}

/** A block as Hadoop frames it: both sizes, each of four bytes, most significant byte first. */
function hadoopBlock(bytes: Uint8Array): Buffer {
  const block = lz4Literals(bytes);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32BE(bytes.length, 0);
  sizes.writeUInt32BE(block.length, 4);
  return Buffer.concat([sizes, block]);
}

/** Cuts the page into parts, as writers with small buffers do. */
const inParts = (page: Uint8Array, compress: (part: Uint8Array) => Uint8Array): Buffer => {
  const middle = Math.ceil(page.length / 2);
  return Buffer.concat([compress(page.subarray(0, middle)), compress(page.subarray(middle))]);
};

test.each([
  ['LZ4 in one Hadoop block', 'LZ4', hadoopBlock],
  ['LZ4 in several Hadoop blocks', 'LZ4', (page: Uint8Array) => inParts(page, hadoopBlock)],
  ['LZ4 in a block without a frame', 'LZ4_RAW', lz4Literals],
  ['LZ4 without the Hadoop frame, as old Arrow versions write', 'LZ4', lz4Literals],
  ['GZIP in one member', 'GZIP', (page: Uint8Array) => gzipSync(page)],
  ['GZIP in several members', 'GZIP', (page: Uint8Array) => inParts(page, gzipSync)],
] as const)('reads pages of %s', async (_, codec, compress) => {
  const plain = new Uint8Array(await parquetOf(SELECT, 'COMPRESSION uncompressed'));
  const expected = await collect(reader, memorySource(plain), mapping());
  expect(expected.lines).toHaveLength(500);
  const { lines } = await collect(reader, memorySource(recompressed(plain, codec, compress)), mapping());
  expect(lines).toEqual(expected.lines);
});
