/** Validates outside data with a zod schema. */
import type { z } from 'zod';
import { InvalidEventError } from './errors';

/** @throws InvalidEventError that lists every problem with its path */
export function validate<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(flattened).map(({ path, message }) => {
    const at = path.map(String).join('.');
    return at === '' ? message : `${at}: ${message}`;
  });
  throw new InvalidEventError(`${what} is not valid: ${[...new Set(problems)].join('; ')}`);
}

type Issue = z.core.$ZodIssue;

/** For a union, the problems of the member with the fewest problems. */
function flattened(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const [best = []] = [...issue.errors].sort((a, b) => a.length - b.length);
  return best.map((part) => ({ ...part, path: [...issue.path, ...part.path] }));
}
