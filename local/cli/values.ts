/** Parses the values of options that are not settings of the functions. */
import { InvalidArgumentError } from 'commander';
import { isMeasurement } from 'shared/datasets/names';
import { TOKEN_FORM, TOKEN_PATTERN } from 'shared/tokens/accepted';

/** A parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

export const portNumber = wholeNumber(0, 65_535);

/** An http or https URL without a query. */
export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.search === '') return url.href;
  throw new InvalidArgumentError('It must be an http or https URL without a query.');
}

export function token(text: string): string {
  if (TOKEN_PATTERN.test(text)) return text;
  throw new InvalidArgumentError(`It ${TOKEN_FORM}.`);
}

export function measurementName(text: string): string {
  if (isMeasurement(text.trim()) && !/\p{Cc}/u.test(text)) return text.trim();
  throw new InvalidArgumentError('It must not be empty, begin with _ or #, or end in a backslash.');
}

/** Parser of an option that may be given several times. */
export const oneMore =
  <T>(parse: (text: string) => T) =>
  (text: string, others: readonly T[] = []): T[] => [...others, parse(text)];
