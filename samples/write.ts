/** Writes a file of line protocol, or a built-in data set, to a local or a deployed endpoint. */
import { readFile } from 'node:fs/promises';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { splitLines } from 'shared/influxdb/lines';
import { writeLines } from './client/line-writer';
import { SigningTransport } from './client/signing-transport';
import { SAMPLE_DEFAULTS, sampleLines } from './generator/lines';

export interface WriteArguments {
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

/** The lines of the source, without comments. The lines of a data set have timestamps in the given precision. */
async function readLines({ source, precision }: WriteArguments): Promise<string[]> {
  if ('dataset' in source) return [...sampleLines({ ...SAMPLE_DEFAULTS, dataset: source.dataset, precision })];
  const lines = splitLines(await readFile(source.file)).map((line) => Buffer.from(line).toString());
  return lines.filter((line) => !line.startsWith('#'));
}

/** Writes the lines and prints the outcome. Returns whether every line was stored, or accepted to be stored later. */
export async function write(options: WriteArguments): Promise<boolean> {
  const { endpoint, token, region, service, precision, batchLines } = options;
  const signs = endpoint.startsWith('https:') && token === undefined;
  const lines = await readLines(options);
  const started = performance.now();
  const { stored, accepted, dropped, unstored } = await writeLines(lines, {
    url: endpoint,
    token,
    precision,
    batchLines,
    report: (message) => console.error(message),
    ...(signs && {
      wrapTransport: (inner) =>
        new SigningTransport(inner, { url: endpoint, region, service, credentials: defaultProvider() }),
    }),
  });
  const counts = [
    `${stored} stored`,
    ...(accepted > 0 ? [`${accepted} accepted, to be stored later`] : []),
    ...(dropped > 0 ? [`${dropped} dropped`] : []),
    ...(unstored > 0 ? [`${unstored} not stored`] : []),
  ];
  console.log(`${lines.length} lines: ${counts.join(', ')} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return dropped + unstored === 0;
}
