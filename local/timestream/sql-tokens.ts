/** Splits Timestream's SQL into tokens. Their texts, joined, are the input again. */
import { validationError } from './errors';

export type TokenKind = 'space' | 'string' | 'quoted' | 'word' | 'number' | 'duration' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)+/y],
  ['string', /'(?:[^']|'')*'/y],
  ['quoted', /"(?:[^"]|"")+"/y],
  ['duration', /\d+(?:ns|us|ms|s|m|h|d)\b/y],
  ['number', /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![a-zA-Z_\d])/y],
  // The only name with colons that Timestream accepts without quotes.
  ['word', /measure_value::[a-z]+/iy],
  ['word', /[a-zA-Z_][a-zA-Z0-9_]*/y],
  ['symbol', /\|\||<>|!=|<=|>=|[-+*/%=<>(),.;[\]]/y],
];

/** Keywords that may directly precede a string. */
const LITERAL_PREFIX = /^(timestamp|date|time|interval)$/i;

function next(sql: string, at: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text) return { kind, text };
  }
  throw validationError(`line ${sql.slice(0, at).split('\n').length}: unexpected text '${sql.slice(at, at + 20)}'`);
}

/** @throws ValidationException for text that is not part of the language */
export function tokenize(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length; ) {
    const token = next(sql, at);
    const before = tokens.at(-1);
    if (token.kind === 'string' && before?.kind === 'word' && !LITERAL_PREFIX.test(before.text)) {
      throw validationError(`unexpected string after '${before.text}'`);
    }
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

/** The name that an identifier token stands for. */
export const nameOf = ({ kind, text }: Token): string =>
  kind === 'quoted' ? text.slice(1, -1).replaceAll('""', '"') : text;
