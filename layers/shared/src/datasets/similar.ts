/** Finds the name that a misspelt name probably means. */
import { editDistance } from '../edit-distance';

/**
 * The most similar candidate: the same letters and digits in another case or with other separators, or at most two edits in a longer name.
 * Undefined if none is similar.
 */
export function similarName(name: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const wanted = plain(name);
  // A name of four letters may differ in one, a name of eight in two.
  const limit = Math.min(2, Math.floor(wanted.length / 4));
  const [best] = candidates
    .map((candidate) => ({ candidate, edits: editDistance(wanted, plain(candidate)) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits);
  return best?.candidate;
}
