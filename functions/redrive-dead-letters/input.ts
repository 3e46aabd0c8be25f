/** What a run is asked for. */
import { InvalidEventError } from 'shared/errors';

export interface RedriveInput {
  /** The queue whose messages are replayed. */
  readonly from: 'dead-letters' | 'parking';
  /** Looks only. */
  readonly dryRun: boolean;
  /** In place of the configured one. */
  readonly maxMessages: number | undefined;
}

const NAMES = ['from', 'dryRun', 'maxMessages'];

/** Reads `{from?, dryRun?, maxMessages?}`. @throws InvalidEventError that says what is wrong */
export function readRedriveInput(event: unknown): RedriveInput {
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    throw invalid('must be an object, such as {}');
  const { from = 'dead-letters', dryRun = false, maxMessages } = event as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(event).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw invalid(`holds '${unknown}': it may hold ${NAMES.join(', ')}`);
  if (from !== 'dead-letters' && from !== 'parking') throw invalid("holds a 'from' other than dead-letters or parking");
  if (typeof dryRun !== 'boolean') throw invalid("holds a 'dryRun' other than true or false");
  if (maxMessages !== undefined && !(Number.isSafeInteger(maxMessages) && Number(maxMessages) > 0)) {
    throw invalid("holds a 'maxMessages' that is no whole number above 0");
  }
  return { from, dryRun, maxMessages: maxMessages as number | undefined };
}

const invalid = (what: string): InvalidEventError => new InvalidEventError(`the input ${what}`);
