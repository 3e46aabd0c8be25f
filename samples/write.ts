/** Writes a file of line protocol, or a built-in data set, to a local or a deployed endpoint. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { splitLines } from 'shared/influxdb/lines';
import { UsageError } from '../local/cli/ending';
import { writeLines } from './client/line-writer';
import { SigningTransport } from './client/signing-transport';
import { SAMPLE_DEFAULTS, sampleLines } from './generator/lines';

export interface WriteArguments {
  /** The file `-` is stdin. */
  readonly source: { readonly file: string } | { readonly dataset: string };
  readonly endpoint: string;
  /** Sent instead of a signature. */
  readonly token: string | undefined;
  /** The region and the service in the signature. */
  readonly region: string;
  readonly service: string;
  readonly precision: string;
  readonly batchLines: number;
}

interface NumberedLine {
  readonly text: string;
  /** In the file, from 1. */
  readonly number: number;
}

/** The lines of the source, without comments and blank lines. The lines of a data set have timestamps in the given precision. */
async function readLines({ source, precision }: WriteArguments): Promise<NumberedLine[]> {
  if ('dataset' in source) {
    const lines = [...sampleLines({ ...SAMPLE_DEFAULTS, dataset: source.dataset, precision })];
    return lines.map((text, index) => ({ text, number: index + 1 }));
  }
  const bytes = await readBytes(source.file);
  let number = 1;
  let counted = 0;
  return splitLines(bytes).flatMap((line) => {
    const start = line.byteOffset - bytes.byteOffset;
    for (; counted < start; counted++) if (bytes[counted] === NEWLINE) number++;
    const text = Buffer.from(line).toString();
    return text.startsWith('#') || text.trim() === '' ? [] : [{ text, number }];
  });
}

const NEWLINE = 0x0a;

async function readBytes(file: string): Promise<Uint8Array> {
  if (file === '-') return await buffer(process.stdin);
  return await readFile(file).catch((error: Error) => {
    throw new UsageError(`the file ${file} cannot be read: ${error.message}`);
  });
}

/** Writes the lines and prints the outcome. Returns whether every line was stored, or accepted to be stored later. */
export async function write(options: WriteArguments): Promise<boolean> {
  const { endpoint, token, region, service, precision, batchLines } = options;
  const signs = endpoint.startsWith('https:') && token === undefined;
  const lines = await readLines(options);
  const started = performance.now();
  const { stored, accepted, dropped, unstored } = await writeLines(
    lines.map(({ text }) => text),
    {
      lineNumbers: lines.map(({ number }) => number),
      url: endpoint,
      token,
      precision,
      batchLines,
      report: (message) => console.error(message),
      ...(signs && {
        wrapTransport: (inner) =>
          new SigningTransport(inner, { url: endpoint, region, service, credentials: defaultProvider() }),
      }),
    },
  );
  const counts = [
    `${stored} stored`,
    ...(accepted > 0 ? [`${accepted} accepted, to be stored later`] : []),
    ...(dropped > 0 ? [`${dropped} dropped`] : []),
    ...(unstored > 0 ? [`${unstored} not stored`] : []),
  ];
  const sent = lines.length === 1 ? '1 line' : `${lines.length} lines`;
  console.log(`${sent}: ${counts.join(', ')} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return dropped + unstored === 0;
}
