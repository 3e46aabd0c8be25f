/** The input of a run. */
import { InvalidEventError } from 'shared/errors';

export interface RedriveInput {
  /** The queue whose messages are replayed. */
  readonly from: 'dead-letters' | 'parking';
  /** Only counts the messages. */
  readonly dryRun: boolean;
  /** Maximum messages of this run; undefined: the configured maximum. */
  readonly maxMessages: number | undefined;
}

const NAMES = ['from', 'dryRun', 'maxMessages'];

/** Reads `{from?, dryRun?, maxMessages?}`. @throws InvalidEventError that names the wrong member */
export function readRedriveInput(event: unknown): RedriveInput {
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    throw invalid('must be an object, such as {}');
  const { from = 'dead-letters', dryRun = false, maxMessages } = event as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(event).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw invalid(`has an unknown member '${unknown}': use ${NAMES.join(', ')}`);
  if (from !== 'dead-letters' && from !== 'parking')
    throw invalid("has a 'from' that is neither dead-letters nor parking");
  if (typeof dryRun !== 'boolean') throw invalid("has a 'dryRun' that is neither true nor false");
  if (maxMessages !== undefined && !(Number.isSafeInteger(maxMessages) && Number(maxMessages) > 0)) {
    throw invalid("has a 'maxMessages' that is not a whole number above 0");
  }
  return { from, dryRun, maxMessages: maxMessages as number | undefined };
}

const invalid = (what: string): InvalidEventError => new InvalidEventError(`the input ${what}`);
