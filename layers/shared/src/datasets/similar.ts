/** Finds the name that a misspelt name probably means. */
import { editDistance } from '../edit-distance';

/**
 * Returns a function that finds the most similar candidate: the same letters and digits in another case or with other separators, or at
 * most two edits in a longer name. Undefined if none is similar.
 */
export function similarNames(candidates: readonly string[]): (name: string) => string | undefined {
  const known = candidates.map((candidate) => ({ candidate, text: plain(candidate) }));
  return (name) => {
    const wanted = plain(name);
    // A name of four letters may differ in one, a name of eight in two.
    let limit = Math.min(2, Math.floor(wanted.length / 4));
    let best: string | undefined;
    for (const { candidate, text } of known) {
      const edits = editDistance(wanted, text, limit);
      if (edits > limit) continue;
      best = candidate;
      limit = edits - 1;
    }
    return best;
  };
}

const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
