/** The pattern of a dataset's keys, such as `exports/{table}/**`. Its named parts are columns that the path supplies. */

const NAMED = /\{([^{}]*)\}/g;
/** `{name}` or `*`; splitting keeps them. */
const PLACEHOLDER = /(\{[^{}]*\}|\*)/;

/** Why a pattern is not valid; undefined if it is. */
export function pathProblem(pattern: string): string | undefined {
  const names = namesOf(pattern);
  if (/[{}]/.test(pattern.replace(NAMED, ''))) return 'a brace without its partner';
  if (names.includes('')) return '{} has no name';
  if (names.some((name) => name.includes('/'))) return 'the name of a part may not have a /';
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
  const tokens = tokensOf(pattern);
  return (key) => {
    // What did not match once is not tried again: a regular expression takes seconds for some long keys.
    const failed = tokens.map(() => new Set<number>());
    for (let start = 0; start >= 0; start = nextFolder(key, start)) {
      const lengths = matchLengths(tokens, key, start, failed);
      if (lengths) return namedParts(tokens, key, start, lengths);
    }
    return undefined;
  };
}

/** Text, or a placeholder that matches texts of several lengths: `lengths` gives them in the order in which they are tried. */
type Token =
  | { readonly text: string }
  | { readonly name?: string; readonly lengths: (key: string, at: number) => Iterable<number> };

const lengthInSegment = (key: string, at: number): number => {
  const end = key.indexOf('/', at);
  return (end < 0 ? key.length : end) - at;
};

/** `{name}`: the shorter texts first. */
function* nameLengths(key: string, at: number): Generator<number> {
  const longest = lengthInSegment(key, at);
  for (let length = 1; length <= longest; length++) yield length;
}

/** `*`: the longer texts first. */
function* textLengths(key: string, at: number): Generator<number> {
  for (let length = lengthInSegment(key, at); length >= 0; length--) yield length;
}

/** `**` before other folders: fewer folders first, each with its slash. */
function* folderLengths(key: string, at: number): Generator<number> {
  yield 0;
  for (let end = at; key[end] !== '/'; ) {
    end = key.indexOf('/', end) + 1;
    if (end === 0) return;
    yield end - at;
  }
}

/** `**` at the end: all of at least one character. */
function* restLengths(key: string, at: number): Generator<number> {
  if (at < key.length) yield key.length - at;
}

function tokensOf(pattern: string): Token[] {
  const segments = pattern.split('/');
  const last = segments.length - 1;
  return segments.flatMap((segment, index): Token[] => {
    if (segment === '**') return [{ lengths: index === last ? restLengths : folderLengths }];
    const parts = segment.split(PLACEHOLDER).filter((part) => part !== '');
    return [...parts.map(tokenOf), ...(index === last ? [] : [{ text: '/' }])];
  });
}

function tokenOf(part: string): Token {
  if (part === '*') return { lengths: textLengths };
  return part.startsWith('{') ? { name: part.slice(1, -1), lengths: nameLengths } : { text: part };
}

/** The position after the next slash; -1 if there is none. */
const nextFolder = (key: string, at: number): number => key.indexOf('/', at) + 1 || -1;

/** The length of each token's text if the tokens match the whole key from `at` on. */
function matchLengths(
  tokens: readonly Token[],
  key: string,
  at: number,
  failed: readonly Set<number>[],
  index = 0,
): number[] | undefined {
  const token = tokens[index];
  if (!token) return at === key.length ? [] : undefined;
  if (failed[index]?.has(at)) return undefined;
  const lengths =
    'text' in token ? (key.startsWith(token.text, at) ? [token.text.length] : []) : token.lengths(key, at);
  for (const length of lengths) {
    const rest = matchLengths(tokens, key, at + length, failed, index + 1);
    if (rest) return [length, ...rest];
  }
  failed[index]?.add(at);
  return undefined;
}

function namedParts(
  tokens: readonly Token[],
  key: string,
  start: number,
  lengths: readonly number[],
): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  let at = start;
  for (const [index, token] of tokens.entries()) {
    const end = at + (lengths[index] ?? 0);
    if ('name' in token && token.name !== undefined) parts.set(token.name, key.slice(at, end));
    at = end;
  }
  return parts;
}

function namesOf(pattern: string): string[] {
  return [...pattern.matchAll(NAMED)].map(([, name = '']) => name);
}
