/** The tags of a mapping: their values as they are stored, and their part of a line. */
import type { ConcreteMapping, ConcreteTag } from '../datasets/resolve';
import { own } from '../own';
import { escapeKey, hasControlCharacters, isNoTag, storedTag, withoutLastBackslashes } from './escape';
import { hashText } from './hyperloglog';
import type { InvalidReason } from './report';
import type { SeriesCounts } from './series-counts';
import type { TextOf, TextSources } from './text-sources';

interface ColumnTag extends Pick<ConcreteTag, 'column' | 'encoding' | 'required'> {
  readonly name: string;
  readonly key: string;
  readonly known: ReadonlySet<string> | undefined;
}

interface ConstantTag {
  readonly name: string;
  readonly key: string;
  readonly constant: string;
}

/** A value of a tag. */
interface TagValue {
  /** As the file has it, without spaces around it. */
  readonly value: string;
  /** As InfluxDB stores it; empty for no tag. */
  readonly stored: string;
}

/** Why a row cannot be a point. */
export interface HeadFault {
  readonly reason: InvalidReason;
  readonly column: string;
}

export type HeadWarning = readonly [
  kind: 'unknown-value' | 'trailing-backslash' | 'control-character' | 'left-out',
  column: string,
  value: string,
];

/** The tags of one combination of texts. */
export interface TagSet {
  /** `,a=1,b=2`, sorted by key. */
  readonly text: string;
  readonly fault: HeadFault | undefined;
  readonly warnings: readonly HeadWarning[];
  /** Indices in `names` of the tags in `text`. */
  readonly present: readonly number[];
}

export class Tags {
  /** All tags, sorted. */
  readonly names: readonly string[];
  private readonly tags: readonly (ColumnTag | ConstantTag)[];

  /** @param unreadable columns of a type that cannot be text */
  constructor(
    private readonly mapping: ConcreteMapping,
    private readonly unreadable: ReadonlySet<string>,
  ) {
    const columnTags = mapping.tags.map(({ column, key, required, encoding }) => {
      const known = own(mapping.checks.known, column);
      return { column, encoding, name: key, key: escapeKey(key), required, known: known && new Set(known) };
    });
    const constantTags = Object.entries(mapping.constantTags).map(([key, value]) => {
      return { name: key, key: escapeKey(key), constant: escapeKey(storedTag(value)) };
    });
    this.tags = [...columnTags, ...constantTags]
      // By bytes, as InfluxDB sorts them.
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    this.names = this.tags.map(({ name }) => name);
  }

  /** The tags of a combination of texts. */
  of(textOf: TextOf): TagSet {
    const warnings: HeadWarning[] = [];
    const present: number[] = [];
    let fault: HeadFault | undefined;
    let text = '';
    for (const [index, tag] of this.tags.entries()) {
      if ('constant' in tag) {
        text += `,${tag.key}=${tag.constant}`;
        present.push(index);
        continue;
      }
      const { column, encoding, key, required, known } = tag;
      const isUnreadable = this.unreadable.has(column);
      const raw = isUnreadable ? null : textOf(column, encoding);
      const { value, stored } = this.valueOf(tag, raw);
      if (required ? stored === '' : value === '') {
        // Without a tag that the file has, different series would merge: a cell is left out with a warning, a column never.
        if (required || isUnreadable) fault ??= { column, reason: raw === null ? 'unreadable' : 'missing' };
        else if (raw === null) warnings.push(['left-out', column, 'unreadable']);
        continue;
      }
      if (known && !known.has(value)) warnings.push(['unknown-value', column, value]);
      if (stored !== value) warnings.push(['trailing-backslash', column, value]);
      if (hasControlCharacters(stored)) warnings.push(['control-character', column, value]);
      if (stored === '') continue;
      text += `,${key}=${escapeKey(stored)}`;
      present.push(index);
    }
    return { text, fault, warnings, present };
  }

  /** Adds the distinct values of each tag. */
  countValues(sources: TextSources, counts: SeriesCounts): void {
    for (const tag of this.tags) {
      if ('constant' in tag) continue;
      const counter = counts.tag(tag.name);
      for (const text of sources.valuesOf(tag)) {
        const { stored } = this.valueOf(tag, text);
        if (stored !== '') counter.add(hashText(stored));
      }
    }
  }

  private valueOf({ required, encoding }: ColumnTag, text: string | null | undefined): TagValue {
    // Encoded bytes are never a word of a person, nor spaces.
    if (this.mapping.verbatim || encoding !== undefined) {
      const value = text ?? '';
      return { value, stored: withoutLastBackslashes(value) };
    }
    const value = text?.trim() ?? '';
    return !required && isNoTag(value) ? { value: '', stored: '' } : { value, stored: storedTag(value) };
  }
}
