/** The pattern of a dataset's keys, such as `exports/{table}/**`. Its named parts are columns that the path supplies. */

const NAMED = /\{([^{}]*)\}/g;

/** Why a pattern is not valid; undefined if it is. */
export function pathProblem(pattern: string): string | undefined {
  const names = namesOf(pattern);
  if (/[{}]/.test(pattern.replace(NAMED, ''))) return 'a brace without its partner';
  if (names.includes('')) return '{} has no name';
  if (new Set(names).size < names.length) return 'two parts have the same name';
  if (pattern.split('/').some((segment) => segment === ''))
    return 'may not begin or end with / nor have an empty folder';
  if (pattern.split('/').some((segment) => segment.includes('**') && segment !== '**'))
    return '** stands for whole folders: put it between slashes';
  return undefined;
}

/**
 * Returns a function that matches a key: the texts of the pattern's named parts by name, or undefined for a key that does not match. The
 * pattern matches a whole key or its last folders and file name; if several beginnings match, the first does.
 *
 * `{name}` is at least one character and `*` any number of characters, both without `/`. `**` at the end is everything below a folder,
 * elsewhere any number of folders, as in .gitignore.
 */
export function pathPattern(pattern: string): (key: string) => ReadonlyMap<string, string> | undefined {
  const segments = pattern.split('/');
  const last = segments.length - 1;
  const expression = segments.map((segment, index) => {
    if (segment === '**') return index === last ? '.+' : '(?:[^/]+/)*?';
    return `${segmentExpression(segment)}${index === last ? '' : '/'}`;
  });
  const match = new RegExp(`(?:^|/)${expression.join('')}$`, 's');
  const names = namesOf(pattern);
  return (key) => {
    const found = match.exec(key);
    return found ? new Map(names.map((name, index) => [name, found[index + 1] ?? ''])) : undefined;
  };
}

function namesOf(pattern: string): string[] {
  return [...pattern.matchAll(NAMED)].map(([, name = '']) => name);
}

function segmentExpression(segment: string): string {
  return segment
    .split(/(\{[^{}]*\}|\*)/)
    .map((part) => {
      if (part === '*') return '[^/]*';
      return part.startsWith('{') ? '([^/]+?)' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
}
