/** Compatibility with the two programs that this project replaces, and the intended differences in docs/migrating.md. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadLoaderConfig } from 'shared/loader-config';
import { ORIGINAL_DEFAULTS } from '../support/originals';
import { template } from '../unit/stack/template';
import { detail } from './report';

const PAGE = readFileSync(path.resolve(__dirname, '../../docs/migrating.md'), 'utf8');

/** The rows of the first table below a heading of the page. */
function tableBelow(heading: string): string[][] {
  const [, text = ''] = PAGE.split(`${heading}\n`);
  const [section = ''] = text.split(/\n#+ /);
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const fromRust = tableBelow('## From the AWS Rust connector');
const fromPython = tableBelow('## From the Python loader');
afterAll(() => {
  detail('Differences from the AWS connector in Rust', ['difference', 'why'], fromRust);
  detail('Differences from the Python loader', ['difference', 'why'], fromPython);
});

describe("the original connector's parameters, compared with template.yml", () => {
  const all = { ...ORIGINAL_DEFAULTS, EnableAsyncInvocation: 'true', RestApiGatewayTimeoutInMillis: 30_000 };
  const differing = Object.entries(all).filter(([name, value]) => template.Parameters[name]?.Default !== value);

  test('every parameter exists with its default, except for two that docs/migrating.md explains', () => {
    expect(Object.keys(all).filter((name) => template.Parameters[name] === undefined)).toEqual([]);
    expect(differing.map(([name]) => name)).toEqual(['EnableAsyncInvocation', 'RestApiGatewayTimeoutInMillis']);
    for (const [name] of differing)
      expect(fromRust.map(([what]) => what)).toContainEqual(expect.stringContaining(name));
  });

  test('every output exists', () => {
    expect(Object.keys(template.Outputs)).toEqual(expect.arrayContaining(['Endpoint', 'LambdaDeadLetterQueueName']));
  });
});

describe("the Python loader's environment, read by this loader", () => {
  test('every variable keeps its name and default', () => {
    const { target, batchLimits, maxRetries, dropInvalid, validateSchema, metricsNamespace } = loadLoaderConfig({
      INFLUXDB_URL: 'http://influxdb.example:8086',
      INFLUXDB_TOKEN: 'token',
    });
    expect(target).toMatchObject({ org: 'ons-energy', bucket: 'energy_data' });
    expect({ lines: batchLimits.lines, maxRetries, dropInvalid, validateSchema }).toEqual({
      lines: 1_000,
      maxRetries: 3,
      dropInvalid: true,
      validateSchema: true,
    });
    expect(metricsNamespace).toBeDefined();
  });
});

describe('the tables of docs/migrating.md', () => {
  test.each([
    ['the AWS connector in Rust', fromRust],
    ['the Python loader', fromPython],
  ])('each difference from %s has a reason', (_, rows) => {
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.filter(([, why]) => !why)).toEqual([]);
  });
});
