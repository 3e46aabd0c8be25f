/** Validates outside data with a zod schema. */
import type { z } from 'zod';
import { InvalidEventError } from './errors';

/** @throws InvalidEventError that lists what does not fit, each with its place */
export function validate<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(flattened).map(({ path, message }) => {
    const place = path.map(String).join('.');
    return place === '' ? message : `${place}: ${message}`;
  });
  throw new InvalidEventError(`${what} cannot be used: ${[...new Set(problems)].join('; ')}`);
}

type Issue = z.core.$ZodIssue;

/** Of a union, the problems of the member that fits best: the one with the fewest. */
function flattened(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const [best = []] = [...issue.errors].sort((a, b) => a.length - b.length);
  return best.map((part) => ({ ...part, path: [...issue.path, ...part.path] }));
}
