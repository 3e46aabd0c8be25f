/** docs/schemas: generated from the code, valid for an independent validator (Ajv), and true of mappings and responses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { parseMappings } from 'shared/datasets/mapping';
import { readInput } from 'shared/loads/load';
import { describeLoad } from '../../../functions/describe-load/describe-load';
import { startLoad } from '../../../functions/start-load/start-load';
import { schemaDocuments } from '../../../schemas/documents';
import { errorSchema, loadStartedSchema, loadStateSchema } from '../../../schemas/loads-api';

const ROOT = join(__dirname, '../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };
const document = (name: string): object => JSON.parse(read(`docs/schemas/${name}`)) as object;

/** `format` is an annotation here. Keywords of OpenAPI are not those of JSON Schema. */
const ajv = new Ajv({ validateFormats: false, strictSchema: false });

test.each(Object.entries(schemaDocuments(version)))('docs/schemas/%s is up to date: npm run generate', (name, text) => {
  expect(read(`docs/schemas/${name}`)).toBe(text);
});

describe('dataset-mappings.schema.json', () => {
  const validate = ajv.compile(document('dataset-mappings.schema.json'));
  const [mapping] = BUILT_IN_MAPPINGS;
  const minimal = {
    name: 'meters',
    measurement: 'meter',
    time: { column: 'read_at' },
    tags: {},
    fields: [{ column: 'kwh', type: 'number' }],
  };

  test.each([
    ['the built-in mappings', BUILT_IN_MAPPINGS],
    ['one built-in mapping', mapping],
    ['a mapping without optional members', minimal],
  ])('accepts %s, as the loader does', (_, value) => {
    expect(validate(value)).toBe(true);
    expect(() => parseMappings(JSON.stringify(value))).not.toThrow();
  });

  test.each([
    ['an unknown member', { ...minimal, colour: 'red' }],
    ['an upper-case name', { ...minimal, name: 'Meters' }],
    ['no fields', { ...minimal, fields: [] }],
    ['an unknown unit', { ...minimal, time: { column: 'read_at', unit: 'h' } }],
    ['no time', { ...minimal, time: undefined }],
  ])('rejects %s, as the loader does', (_, value) => {
    expect(validate(JSON.parse(JSON.stringify(value)))).toBe(false);
    expect(() => parseMappings(JSON.stringify(value))).toThrow();
  });
});

describe('loads.openapi.json', () => {
  ajv.addSchema(document('loads.openapi.json'), 'loads');
  const component = (name: string) => ajv.compile({ $ref: `loads#/components/schemas/${name}` });

  test.each([
    [{ bucket: 'b', key: 'dataset=generation/1.parquet' }],
    [{ bucket: 'b', prefix: 'p/', dataset: 'generation', toleratedFailurePercentage: 5, maxConcurrency: 2 }],
    [{ bucket: 'b', keys: ['1.parquet'], clientToken: 'nightly' }],
    [{ plan: 's3://work/loads/1/failed-items.jsonl' }],
  ])('LoadRequest accepts %j, as POST /loads does', (value) => {
    expect(component('LoadRequest')(value)).toBe(true);
    expect(() => readInput(value)).not.toThrow();
  });

  test.each([
    [{ bucket: 'b' }],
    [{ bucket: 'b', prefix: 'p/', key: 'k' }],
    [{ bucket: 'b', prefix: 'p/', tolerance: 5 }],
    [{ bucket: 'b', prefix: 'p/', maxConcurrency: 0 }],
    [{ bucket: 'b', keys: [] }],
  ])('LoadRequest rejects %j, as POST /loads does', (value) => {
    expect(component('LoadRequest')(value)).toBe(false);
    expect(() => readInput(value)).toThrow();
  });

  test('responses have the members of LoadStarted and LoadState, and no others', async () => {
    async function* noPages(): AsyncGenerator<never> {
      yield* [];
    }
    const executions = {
      start: async () => true,
      countItems: async () => ({ total: 3, done: 1, failed: 0 }),
      describe: async () => ({
        status: 'FAILED' as const,
        input: '{}',
        error: 'InfluxDBConnectionError',
        cause: '{"errorMessage":"connection refused"}',
        started: new Date('2026-01-02T03:04:05Z'),
        ended: undefined,
      }),
    };
    const request = { requestContext: {}, body: JSON.stringify({ bucket: 'b', prefix: 'p/' }) };
    const started = JSON.parse((await startLoad(request, { executions, mappings: BUILT_IN_MAPPINGS })).body) as unknown;
    expect(loadStartedSchema.strict().parse(started)).toEqual(started);
    const services = {
      executions,
      objects: { read: async () => undefined, list: () => noPages() },
      workBucket: 'work',
      logger: { warn: () => undefined },
    };
    const state = JSON.parse((await describeLoad({ pathParameters: { id: 'a' } }, services)).body) as unknown;
    expect(loadStateSchema.strict().parse(state)).toEqual(state);
    expect(component('LoadState')(state)).toBe(true);
    const unknown = JSON.parse((await describeLoad({ pathParameters: { id: 'a b' } }, services)).body) as unknown;
    expect(errorSchema.strict().parse(unknown)).toEqual(unknown);
  });

  test('every reference leads to a component', () => {
    const text = read('docs/schemas/loads.openapi.json');
    const { components } = JSON.parse(text) as { components: { schemas: Record<string, object> } };
    const names = [...text.matchAll(/"\$ref": "#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !Object.hasOwn(components.schemas, name))).toEqual([]);
  });
});
