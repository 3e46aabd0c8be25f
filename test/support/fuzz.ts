/** Hostile JSON for property tests, and the number of runs: FUZZ_FACTOR=100 tries a hundred times as many as `npm test`. */
import fc from 'fast-check';

export const FACTOR = Number(process.env.FUZZ_FACTOR ?? 1);

export const runs = (count: number): { numRuns: number } => ({ numRuns: Math.ceil(count * FACTOR) });

/** Any JSON, including objects with dangerous names. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      JSON.parse('{"__proto__": {"body": "m,a=b v=1"}}'),
      { constructor: null, toString: 1 },
      [],
      '',
      -0,
      1e308,
      Number.MAX_SAFE_INTEGER + 2,
      '\u0000\ud800',
      'x'.repeat(10_000),
    ),
  },
);

/** `template` with some values, at any depth, left out or replaced by any JSON: nearly valid input reaches more code. */
export function mutated(template: unknown): fc.Arbitrary<unknown> {
  const intact = fc.constant(template);
  let inside: fc.Arbitrary<unknown> = intact;
  if (Array.isArray(template)) inside = fc.tuple(...template.map((item) => mutated(item)));
  else if (typeof template === 'object' && template !== null) {
    const parts = Object.fromEntries(Object.entries(template).map(([name, value]) => [name, mutated(value)]));
    inside = fc.record(parts, { requiredKeys: [] }).map((part) => ({ ...(template as object), ...part }));
  }
  return fc.oneof({ weight: 8, arbitrary: inside }, { weight: 1, arbitrary: anyJson });
}
