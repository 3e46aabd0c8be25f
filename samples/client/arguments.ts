/** The arguments of `npm run -s sample:write`. */
import { parseArgs } from 'node:util';
import { V2_PRECISIONS } from 'shared/line-protocol/precision';
import { TOKEN_FORM, TOKEN_PATTERN } from 'shared/tokens/accepted';
import { choiceOption, integerOption, UsageError } from '../command/program';
import { DATASET_NAMES } from '../generator/datasets';
import { SAMPLE_DEFAULTS } from '../generator/lines';

const PRECISIONS = [...V2_PRECISIONS.keys()];

export const WRITE_USAGE = `npm run -s sample:write -- FILE [options]
npm run -s sample:write -- --dataset NAME [options]
  FILE                 line protocol to write
  --dataset NAME       write a built-in data set instead: ${DATASET_NAMES.join(', ')}
                       (the ${SAMPLE_DEFAULTS.lines} lines that sample:generate prints for it)
  --endpoint URL       the endpoint, with its stage (http://localhost:9000); https is signed, http is not
  --token TOKEN        sent instead of a signature, to an endpoint that takes tokens
  --region REGION      region of the signature (that of the endpoint, else AWS_REGION, else us-east-1)
  --service SERVICE    service of the signature (execute-api)
  --precision UNIT     unit of the timestamps in FILE: ${PRECISIONS.join(', ')} (ns)
  --batch-lines N      lines a request (5000)
  --help               show this

Exits with 0 where every line was stored, with 1 where one was not, with 2 for wrong arguments.`;

export interface WriteArguments {
  readonly source: { readonly file: string } | { readonly dataset: string };
  readonly endpoint: string;
  /** Sent instead of a signature. */
  readonly token: string | undefined;
  readonly region: string;
  readonly service: string;
  readonly precision: string;
  readonly batchLines: number;
}

/** @throws UsageError that says what is wrong with the arguments */
export function readWriteArguments(args: string[]): WriteArguments | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      dataset: { type: 'string' },
      endpoint: { type: 'string', default: 'http://localhost:9000' },
      token: { type: 'string' },
      region: { type: 'string' },
      service: { type: 'string', default: 'execute-api' },
      precision: { type: 'string', default: 'ns' },
      'batch-lines': { type: 'string', default: '5000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const endpoint = endpointOption(values.endpoint);
  return {
    source: sourceOption(positionals, values.dataset),
    endpoint: endpoint.href,
    token: tokenOption(values.token),
    region:
      values.region ?? /\.execute-api\.([^.]+)\./.exec(endpoint.host)?.[1] ?? process.env.AWS_REGION ?? 'us-east-1',
    service: values.service,
    precision: choiceOption('--precision', values.precision, PRECISIONS),
    batchLines: integerOption('--batch-lines', values['batch-lines'], 1, 1e6),
  };
}

function sourceOption(files: readonly string[], dataset: string | undefined): WriteArguments['source'] {
  if (dataset !== undefined && files.length === 0) {
    return { dataset: choiceOption('--dataset', dataset, DATASET_NAMES) };
  }
  if (dataset === undefined && files.length === 1) return { file: files[0] };
  throw new UsageError('name one FILE of line protocol, or one --dataset');
}

function tokenOption(token: string | undefined): string | undefined {
  if (token !== undefined && !TOKEN_PATTERN.test(token)) throw new UsageError(`--token ${TOKEN_FORM}`);
  return token;
}

function endpointOption(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '') {
    throw new UsageError(`--endpoint must be an http or https URL without a query, not '${text}'`);
  }
  return url;
}
