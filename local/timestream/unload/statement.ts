/**
 * Parses UNLOAD statements and checks their options. Source: "UNLOAD" and "UNLOAD Concepts" in the developer guide of Timestream for
 * LiveAnalytics.
 */
import { validationError } from '../errors';
import { type Token, tokenize } from '../sql-tokens';

export interface UnloadStatement {
  readonly select: string;
  readonly bucket: string;
  /** Without slashes at its ends. */
  readonly folder: string;
  readonly format: 'CSV' | 'PARQUET';
  readonly compression: 'GZIP' | 'NONE';
  readonly partitionedBy: readonly string[];
  readonly encryption: 'SSE_S3' | 'SSE_KMS';
  readonly kmsKey: string | undefined;
  /** The size at which a new file starts, bytes; approximate. */
  readonly maxFileBytes: number;
  /** Single characters; not used with PARQUET. */
  readonly delimiter: string;
  readonly escapedBy: string;
  readonly header: boolean;
}

const UNLOAD = /^(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)*UNLOAD\b/i;

export const isUnload = (sql: string): boolean => UNLOAD.test(sql);

type Option = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'list'; readonly texts: string[] };

const MB = 2 ** 20;
const SIZE_UNITS: Readonly<Record<string, number>> = { MB, GB: 1024 * MB };
/** Source: "Bucket naming rules" in the S3 user guide. */
export const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
export const BUCKET_RULE = 'the name of a bucket has 3 to 63 small letters, digits, dots and hyphens';
/** An ARN of a key or an alias, the id of a key, or the name of an alias. */
const KMS_KEY =
  /^(?:arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[\w/-]+|alias\/[\w/-]+|(?:mrk-)?[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const OPTIONS = [
  'format',
  'compression',
  'partitioned_by',
  'encryption',
  'kms_key',
  'field_delimiter',
  'escaped_by',
  'include_header',
  'max_file_size',
] as const;
type OptionName = (typeof OPTIONS)[number];

interface Placed extends Token {
  /** Offset of the first character in the statement. */
  readonly start: number;
}

class Parser {
  private readonly tokens: readonly Placed[];
  private at = 0;

  constructor(private readonly sql: string) {
    let start = 0;
    this.tokens = tokenize(sql)
      .map((token) => {
        const placed = { ...token, start };
        start += token.text.length;
        return placed;
      })
      .filter(({ kind }) => kind !== 'space');
  }

  private sees(text: string): boolean {
    return this.tokens[this.at]?.text.toUpperCase() === text;
  }

  private accept(text: string): boolean {
    const found = this.sees(text);
    if (found) this.at += 1;
    return found;
  }

  private expect(text: string): void {
    if (!this.accept(text)) throw this.unexpected(`'${text}'`);
  }

  private unexpected(expected: string): Error {
    const found = this.tokens[this.at]?.text ?? 'the end of the statement';
    return validationError(`UNLOAD: expected ${expected} instead of ${found}.`);
  }

  private string(what: string): string {
    const token = this.tokens[this.at];
    if (token?.kind !== 'string') throw this.unexpected(`${what} in single quotes`);
    this.at += 1;
    return token.text.slice(1, -1).replaceAll("''", "'");
  }

  /** The text between the parenthesis that follows and its counterpart. */
  private parenthesized(): string {
    this.expect('(');
    const first = this.tokens[this.at];
    for (let depth = 1; ; this.at++) {
      const token = this.tokens[this.at];
      if (token === undefined) throw this.unexpected("')'");
      if (token.text === '(') depth += 1;
      if (token.text === ')') depth -= 1;
      if (depth > 0) continue;
      this.at += 1;
      const text = this.sql.slice(first?.start ?? 0, token.start);
      if (!/^(?:select|with)$/i.test(first?.text ?? '')) {
        throw validationError('UNLOAD: the parentheses must contain a SELECT statement.');
      }
      return text;
    }
  }

  private option(): Option {
    if (!this.accept('ARRAY')) return { kind: 'text', text: this.string('a value') };
    this.expect('[');
    const texts = [this.string('a column')];
    while (this.accept(',')) texts.push(this.string('a column'));
    this.expect(']');
    return { kind: 'list', texts };
  }

  private options(): ReadonlyMap<OptionName, Option> {
    const options = new Map<OptionName, Option>();
    if (!this.accept('WITH')) return options;
    this.expect('(');
    do {
      const written = this.tokens[this.at]?.text.toLowerCase();
      const name = OPTIONS.find((each) => each === written);
      if (name === undefined) throw this.unexpected(`one of the options ${OPTIONS.join(', ')}`);
      if (options.has(name)) throw validationError(`UNLOAD: the option ${name} is given twice.`);
      this.at += 1;
      this.expect('=');
      options.set(name, this.option());
    } while (this.accept(','));
    this.expect(')');
    return options;
  }

  parse() {
    this.expect('UNLOAD');
    const select = this.parenthesized();
    this.expect('TO');
    const address = this.string("the destination 's3://bucket/folder'");
    const options = this.options();
    this.accept(';');
    if (this.tokens[this.at] !== undefined) throw this.unexpected('the end of the statement');
    return { select, address, options };
  }
}

/** @throws ValidationException if the text is not an UNLOAD statement or an option is not valid */
export function parseUnload(sql: string): UnloadStatement {
  const { select, address, options } = new Parser(sql).parse();

  const text = (name: OptionName): string | undefined => {
    const option = options.get(name);
    if (option?.kind === 'list') throw validationError(`UNLOAD: ${name} takes a text in single quotes, not an array.`);
    return option?.text;
  };
  const oneOf = <T extends string>(name: OptionName, values: readonly [T, ...T[]], fallback: T): T => {
    const given = text(name);
    if (given === undefined) return fallback;
    const value = values.find((each) => each.toUpperCase() === given.toUpperCase());
    if (value === undefined) throw validationError(`UNLOAD: ${name} must be ${quotedList(values)}, not '${given}'.`);
    return value;
  };
  const character = (name: OptionName, fallback: string): string => {
    const value = text(name) ?? fallback;
    if (!/^[\0-\x7f]$/.test(value)) throw validationError(`UNLOAD: ${name} must be a single ASCII character.`);
    return value;
  };

  const statement: UnloadStatement = {
    select,
    ...destination(address),
    format: oneOf('format', ['CSV', 'PARQUET'], 'CSV'),
    compression: oneOf('compression', ['GZIP', 'NONE'], 'GZIP'),
    partitionedBy: partitionColumns(options.get('partitioned_by')),
    encryption: oneOf('encryption', ['SSE_S3', 'SSE_KMS'], 'SSE_S3'),
    kmsKey: text('kms_key'),
    maxFileBytes: sizeOf(text('max_file_size') ?? '78GB'),
    delimiter: character('field_delimiter', ','),
    escapedBy: character('escaped_by', '\\'),
    header: oneOf('include_header', ['true', 'false'], 'false') === 'true',
  };
  assertConsistent(statement, [...options.keys()]);
  return statement;
}

const quotedList = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(' or ');

function destination(address: string): Pick<UnloadStatement, 'bucket' | 'folder'> {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]*)\/?([\s\S]*)$/.exec(address) ?? [];
  if (!BUCKET.test(bucket)) {
    throw validationError(
      `UNLOAD: the destination must be 's3://bucket/folder' with a valid bucket, not '${address}': ${BUCKET_RULE}.`,
    );
  }
  const folder = path.replace(/\/$/, '');
  const isFolder = folder.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to refuse.
  if (!isFolder || /[\0-\x1f\x7f\\]/.test(folder)) {
    throw validationError(`UNLOAD: the destination must name a folder of the bucket: 's3://${bucket}/folder'.`);
  }
  return { bucket, folder };
}

function partitionColumns(option: Option | undefined): readonly string[] {
  if (option === undefined) return [];
  if (option.kind === 'text') throw validationError("UNLOAD: partitioned_by must be an array: ARRAY['column'].");
  if (new Set(option.texts).size < option.texts.length) {
    throw validationError('UNLOAD: partitioned_by names a column twice.');
  }
  return option.texts;
}

function sizeOf(text: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)\s*(MB|GB)$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(count) * (SIZE_UNITS[unit.toUpperCase()] ?? Number.NaN));
  if (bytes >= 16 * MB && bytes <= 78 * 1024 * MB) return bytes;
  throw validationError(`UNLOAD: max_file_size must be between '16MB' and '78GB', not '${text}'.`);
}

function assertConsistent({ format, encryption, kmsKey, delimiter, escapedBy }: UnloadStatement, given: OptionName[]) {
  const csvOnly = given.find((name) => ['field_delimiter', 'escaped_by', 'include_header'].includes(name));
  if (format !== 'CSV' && csvOnly !== undefined) {
    throw validationError(`UNLOAD: ${csvOnly} needs format = 'CSV'.`);
  }
  if (kmsKey !== undefined && encryption !== 'SSE_KMS') {
    throw validationError("UNLOAD: kms_key needs encryption = 'SSE_KMS'.");
  }
  if (kmsKey !== undefined && !KMS_KEY.test(kmsKey)) {
    throw validationError(`UNLOAD: kms_key must be the id or ARN of a KMS key or alias, not '${kmsKey}'.`);
  }
  if (delimiter === '"' || delimiter === escapedBy) {
    throw validationError('UNLOAD: field_delimiter must differ from escaped_by and from the double quote.');
  }
}
