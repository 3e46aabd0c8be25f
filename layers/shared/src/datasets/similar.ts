/** Finds the name that a misspelt name probably means. */

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
      const edits = editsBetween(wanted, text, limit);
      if (edits > limit) continue;
      best = candidate;
      limit = edits - 1;
    }
    return best;
  };
}

const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** The Levenshtein distance, or more than `limit`. It looks only at alignments within the limit: files have thousands of names. */
function editsBetween(a: string, b: string, limit: number): number {
  const tooMany = limit + 1;
  if (Math.abs(a.length - b.length) > limit) return tooMany;
  // By the offset of b's position from a's, from -limit to limit, with a border on each side.
  const width = 2 * limit + 1;
  let row: number[] = Array.from({ length: width + 2 }, (_, at) =>
    at > limit && at <= width ? at - limit - 1 : tooMany,
  );
  for (let i = 1; i <= a.length; i++) {
    const next: number[] = [tooMany];
    let least = tooMany;
    for (let at = 1; at <= width; at++) {
      const j = i + at - limit - 1;
      const replaced = (row[at] ?? tooMany) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const edits =
        j < 0 || j > b.length
          ? tooMany
          : Math.min(j === 0 ? i : replaced, (row[at + 1] ?? tooMany) + 1, (next[at - 1] ?? tooMany) + 1);
      next.push(edits);
      if (edits < least) least = edits;
    }
    if (least > limit) return tooMany;
    row = [...next, tooMany];
  }
  return row[b.length - a.length + limit + 1] ?? tooMany;
}
