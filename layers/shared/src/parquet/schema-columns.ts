/** Finds the columns of a file's schema: flat ones, and the leaves of structs under their path. */
import { describe, isGroup } from './column-type';
import type { SchemaElement } from './format';
import { UnreadableFile } from './unreadable';

/** A column, or a struct, list or map. */
export interface SchemaColumn {
  readonly element: SchemaElement;
  /** Names from the top, the last one its own. */
  readonly path: readonly string[];
  /** How many elements of its path are optional: its values have this definition level. */
  readonly levels: number;
  /** Its index among the column chunks of each row group; the index of the first leaf of a struct, list or map. */
  readonly leaf: number;
  /** For a struct, list or map: why it is not a column, in words that continue "column NAME". */
  readonly problem: string | undefined;
  /** Whether the columns below it are columns of their own. */
  readonly isStruct: boolean;
}

interface Group {
  readonly path: readonly string[];
  readonly levels: number;
  /** Whether the columns below it are columns of their own. */
  readonly isOpen: boolean;
  /** Its elements that follow. */
  pending: number;
}

/** Beyond any known schema. They bound memory, as a leaf's name contains the names of all structs above it. */
const MAX_PATH = 32;
const MAX_NAME = 1000;

/**
 * Returns the columns in the schema's order, and each struct, list and map before the columns below it. A struct's columns have names such
 * as `a.b`; those below a list or map are left out.
 * @throws UnreadableFile for elements that are not a tree
 */
export function schemaColumns([root, ...elements]: readonly SchemaElement[]): {
  columns: SchemaColumn[];
  leaves: number;
} {
  if (root === undefined || elements.some(({ num_children: children = 0 }) => children < 0))
    throw notATree('is not valid');
  const columns: SchemaColumn[] = [];
  let leaf = 0;
  // A stack instead of recursion: a hostile schema may be as deep as it is long.
  const groups: Group[] = [{ path: [], levels: 0, isOpen: true, pending: root.num_children ?? 0 }];
  for (const [index, element] of elements.entries()) {
    const parent = innermost(groups);
    if (!parent) throw notATree('names fewer columns than it has');
    parent.pending--;
    const levels = parent.levels + (element.repetition_type === 'REQUIRED' ? 0 : 1);
    const path = parent.isOpen ? [...parent.path, element.name] : parent.path;
    const isStruct = isGroup(element) && listProblem(element, path) === undefined;
    if (parent.isOpen) {
      const problem = isGroup(element)
        ? (listProblem(element, path) ?? structProblem(path, elements[index + 1]))
        : undefined;
      columns.push({ element, path, levels, leaf, problem, isStruct });
    }
    if (isGroup(element))
      groups.push({ path, levels, isOpen: parent.isOpen && isStruct, pending: element.num_children ?? 0 });
    else leaf++;
  }
  if (innermost(groups)) throw notATree('names more columns than it has');
  return { columns, leaves: leaf };
}

/** The group that the next element belongs to; undefined if all are complete. */
function innermost(groups: Group[]): Group | undefined {
  while (groups.at(-1)?.pending === 0) groups.pop();
  return groups.at(-1);
}

/** Why the elements below a group are not columns; undefined for a struct. */
function listProblem(group: SchemaElement, path: readonly string[]): string | undefined {
  const { repetition_type: repetition, logical_type, converted_type } = group;
  if (repetition === 'REPEATED') return 'is repeated (a list): only flat columns can be used';
  if (repetition === 'unknown') return 'has an unknown repetition: the file is corrupt';
  if (logical_type || converted_type) return `is ${describe(group)}: only flat columns can be used`;
  const length = path.reduce((sum, name) => sum + name.length, 0);
  return path.length > MAX_PATH || length > MAX_NAME ? 'is a struct in too many structs' : undefined;
}

function structProblem(path: readonly string[], first: SchemaElement | undefined): string {
  const example = first ? `, such as ${[...path, first.name].join('.')}` : '';
  return `is a struct: only flat columns can be used${example}`;
}

const notATree = (fault: string): UnreadableFile => new UnreadableFile(`corrupt: its schema ${fault}`);
