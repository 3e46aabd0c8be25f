/** `npm run -s sample:write`: writes a file of line protocol, or a built-in data set, to a local or a deployed endpoint. */
import { readFile } from 'node:fs/promises';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { splitLines } from 'shared/influxdb/lines';
import { readWriteArguments, WRITE_USAGE, type WriteArguments } from './client/arguments';
import { writeLines } from './client/line-writer';
import { SigningTransport } from './client/signing-transport';
import { runProgram } from './command/program';
import { SAMPLE_DEFAULTS, sampleLines } from './generator/lines';

/** Lines of the source, without comments; of a data set with timestamps in the given precision. */
async function readLines({ source, precision }: WriteArguments): Promise<string[]> {
  if ('dataset' in source) return [...sampleLines({ ...SAMPLE_DEFAULTS, dataset: source.dataset, precision })];
  const lines = splitLines(await readFile(source.file)).map((line) => Buffer.from(line).toString());
  return lines.filter((line) => !line.startsWith('#'));
}

async function write(args: string[]): Promise<number> {
  const parsed = readWriteArguments(args);
  if (parsed === undefined) {
    console.log(WRITE_USAGE);
    return 0;
  }
  const { endpoint, token, region, service, precision, batchLines } = parsed;
  const signs = endpoint.startsWith('https:') && token === undefined;
  const lines = await readLines(parsed);
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
  return dropped + unstored > 0 ? 1 : 0;
}

void runProgram(write);
