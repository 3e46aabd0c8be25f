/** The fields of a line that depend on text columns: text fields, and the names of fields that a column names. */
import { isKey } from '../datasets/names';
import type { ConcreteField, ConcreteMapping } from '../datasets/resolve';
import { escapeKey, quote } from './escape';
import { fieldKey, fieldName, ownName } from './fields';
import type { ReadyText } from './ready-text';
import type { HeadFault, HeadWarning } from './tags';
import type { TextOf } from './text-sources';

/** The indices in the mapping of the fields with one name, and the number of tags and text fields with this name. */
export interface SharedName {
  readonly fields: readonly number[];
  readonly others: number;
}

/** The fields of one combination of texts. */
export interface FieldTexts {
  /** `a="x",b="y"`; empty if there are no text fields. */
  readonly strings: string;
  readonly fault: HeadFault | undefined;
  readonly warnings: readonly HeadWarning[];
  /** A text field that is not UTF-8. */
  readonly unreadable: string | undefined;
  /** Names and keys of the fields whose name is the text of a column, in the mapping's order. */
  readonly names: readonly string[];
  readonly keys: readonly ReadyText[];
  /** Why the texts cannot be names, by field; undefined if all can. */
  readonly nameFaults: readonly (HeadFault | undefined)[] | undefined;
  /** Bytes of all `keys`. */
  readonly keyBytes: number;
  /** Names that several fields of a row would have, if they have values: only if any text may name a field. */
  readonly shared: readonly SharedName[];
  /** Indices in the mapping of the fields in `strings`. */
  readonly present: readonly number[];
}

export class HeadFields {
  /** The fields whose name is the text of a column. */
  readonly named: readonly ConcreteField[];
  private readonly strings: readonly { readonly field: ConcreteField; readonly index: number }[];
  /** Whether any text may name a field. */
  private readonly hasPivots: boolean;

  /**
   * @param tags names of the tags
   * @param unreadable columns of a type that cannot be text
   * @param taken names that the unit's fields use in this file
   */
  constructor(
    private readonly mapping: ConcreteMapping,
    private readonly tags: readonly string[],
    private readonly unreadable: ReadonlySet<string>,
    private readonly taken: readonly string[],
  ) {
    this.named = mapping.fields.filter(({ named }) => named);
    this.strings = mapping.fields.flatMap((field, index) => (field.type === 'text' ? [{ field, index }] : []));
    this.hasPivots = this.named.some(({ named }) => named?.otherwise === undefined);
  }

  /** The fields of a combination of texts. */
  of(textOf: TextOf): FieldTexts {
    const strings: string[] = [];
    const warnings: HeadWarning[] = [];
    const present: number[] = [];
    let fault: HeadFault | undefined;
    let unreadable: string | undefined;
    for (const { field, index } of this.strings) {
      const { column, required } = field;
      const value = this.unreadable.has(column) ? null : textOf(column);
      if (typeof value !== 'string') {
        if (required) fault ??= { column, reason: value === null ? 'unreadable' : 'missing' };
        if (value === null) {
          unreadable ??= column;
          warnings.push(['left-out', column, 'unreadable']);
        }
        continue;
      }
      const name = this.nameOf(field, textOf);
      if (typeof name === 'string') strings.push(`${escapeKey(name)}=${quote(value)}`);
      else fault ??= name;
      present.push(index);
    }
    const found = this.named.map((field) => this.nameOf(field, textOf));
    const names = found.map((name) => (typeof name === 'string' ? name : ''));
    const isFaulty = found.some((name) => typeof name !== 'string');
    const nameFaults = isFaulty ? found.map((name) => (typeof name === 'string' ? undefined : name)) : undefined;
    const keys = names.map(fieldKey);
    const keyBytes = keys.reduce((sum, { length }) => sum + length, 0);
    const shared = this.hasPivots ? this.sharedNames(textOf) : [];
    return { strings: strings.join(), fault, warnings, unreadable, names, keys, nameFaults, keyBytes, shared, present };
  }

  private nameOf(field: ConcreteField, textOf: TextOf): string | HeadFault {
    const { named } = field;
    if (!named) return ownName(field, this.taken);
    const column = named.by;
    const text = textOf(column);
    const name = fieldName(named, text);
    if (name === undefined) return { column, reason: text === null ? 'unreadable' : 'missing' };
    return isKey(name) ? name : { column, reason: 'not-a-name' };
  }

  private sharedNames(textOf: TextOf): SharedName[] {
    const names = new Map<string, { fields: number[]; others: number }>();
    for (const name of this.tags) names.set(name, { fields: [], others: 1 });
    for (const [index, field] of this.mapping.fields.entries()) {
      const name = this.nameOf(field, textOf);
      if (typeof name !== 'string') continue;
      const known = names.get(name) ?? { fields: [], others: 0 };
      names.set(name, known);
      if (field.type !== 'text') known.fields.push(index);
      else if (typeof textOf(field.column) === 'string') known.others++;
    }
    return [...names.values()].filter(({ fields, others }) => fields.length + others > 1);
  }
}
