/** Finds the names that a user may have meant. */
import { editDistance } from 'shared/edit-distance';

/** Longer names are not compared, because the time grows with the product of the lengths. */
const MAX_LENGTH = 100;
const MAX_NAMES = 3;

/** At most 3 of the names: those that differ least, in at most a third of their characters; case does not matter. */
export function similar(name: string, names: Iterable<string>): string[] {
  if (name.length > MAX_LENGTH) return [];
  const wanted = name.toLowerCase();
  const most = Math.max(1, Math.floor(name.length / 3));
  return [...new Set(names)]
    .filter((each) => Math.abs(each.length - name.length) <= most)
    .map((each) => ({ each, distance: editDistance(wanted, each.toLowerCase()) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance || (a.each < b.each ? -1 : 1))
    .slice(0, MAX_NAMES)
    .map(({ each }) => each);
}

/** ` Did you mean a or b?`, or an empty text. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const found = similar(name, names);
  return found.length === 0 ? '' : ` Did you mean ${found.join(' or ')}?`;
}
