/** Collects the causes of failed items: each cause once, with the number of its items and a few of their objects. */
import type { Cause } from './summary';

const MAX_CAUSES = 20;
const MAX_OBJECTS = 5;
const MAX_TEXT = 600;

export class Causes {
  private readonly causes = new Map<string, { error: string; cause: string; items: number; objects: string[] }>();
  private others = 0;

  /** @param object the failed object. A cause that begins with its name is stored without it, so that the same causes are counted together. */
  add(error: string, cause: string, object: string | null): void {
    const text =
      object !== null && cause.startsWith(object) ? cause.slice(object.length).replace(/^[:,] */, '') : cause;
    const id = `${error} ${text}`;
    const known = this.causes.get(id);
    if (known) {
      // Without an object it is the error that ended the load, which its items have counted.
      if (object !== null) known.items += 1;
      if (object !== null && known.objects.length < MAX_OBJECTS && !known.objects.includes(object)) {
        known.objects.push(object);
      }
    } else if (this.causes.size < MAX_CAUSES) {
      this.causes.set(id, {
        error,
        cause: text.slice(0, MAX_TEXT),
        items: 1,
        objects: object === null ? [] : [object],
      });
    } else this.others += 1;
  }

  /** The causes, the most frequent first. */
  list(): Cause[] {
    const causes: Cause[] = [...this.causes.values()].sort((a, b) => b.items - a.items);
    if (this.others === 0) return causes;
    return [
      ...causes,
      { error: 'Other', cause: 'further causes: see the failed items', items: this.others, objects: [] },
    ];
  }
}
