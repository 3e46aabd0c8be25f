/**
 * The SQL editor: CodeMirror with Timestream's dialect, and completion of names.
 *
 * It lives in a shadow root: there CodeMirror adds its styles as adopted style sheets, which the content security policy permits. In
 * the document it would add a style element, which the policy refuses.
 */
import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeCompletion,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { SQLDialect, type SQLNamespace, StandardSQL, schemaCompletionSource, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState, Prec } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { knownTables, tablesIn } from './schema';
import { identifier, qualified } from './sql-text';

/** Functions of Timestream's SQL that people need for time series. Source: Timestream's developer guide, "Query language". */
const FUNCTIONS = [
  'abs ago approx_distinct approx_percentile avg bin bool_and bool_or ceil coalesce concat count count_if create_time_series',
  'current_timestamp date_add date_diff date_trunc day floor from_iso8601_timestamp from_milliseconds geometric_mean',
  'greatest hour interpolate_fill interpolate_linear interpolate_locf lag lead least lower ln max max_by measure_value',
  'millisecond min min_by minute month now parse_duration power regexp_like replace round row_number second sign split',
  'sqrt stddev strpos substr sum to_milliseconds to_nanoseconds trim unnest upper variance year',
].join(' ');

const dialect = SQLDialect.define({ ...StandardSQL.spec, builtin: FUNCTIONS, identifierQuotes: '"' });

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--keyword)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--literal)' },
  { tag: [tags.standard(tags.name), tags.typeName], color: 'var(--builtin)' },
  { tag: [tags.lineComment, tags.blockComment], color: 'var(--muted)', fontStyle: 'italic' },
]);

const look = EditorView.theme({
  '&': {
    color: 'var(--text)',
    backgroundColor: 'var(--field)',
    fontSize: '14px',
    minHeight: '7.5em',
    border: '1px solid var(--line)',
    borderRadius: '6px',
    maxHeight: '40vh',
  },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 4px' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-placeholder': { color: 'var(--muted)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'var(--selection)',
  },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--selection)', color: 'inherit' },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--card)', border: '1px solid var(--line)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    color: 'var(--on-accent)',
    background: 'var(--accent)',
  },
  '.cm-completionDetail': { fontStyle: 'normal', color: 'inherit', opacity: '1' },
});

/**
 * Replaces the selection when the user types over it. If the browser did, it would give the new text the colour of the old one in a
 * style attribute, which the content security policy refuses.
 */
const replaceSelection = EditorView.domEventHandlers({
  beforeinput({ inputType, data }, view) {
    const { from, to } = selectionOf(view);
    if (inputType !== 'insertText' || data === null || view.composing || from === to) return false;
    const changes = { from, to, insert: data };
    view.dispatch({
      changes,
      selection: { anchor: from + data.length },
      userEvent: 'input.type',
      scrollIntoView: true,
    });
    return true;
  },
});

/** The browser's selection, which may be newer than the editor's. Only Chromium shows that of a shadow root. */
function selectionOf(view: EditorView): { readonly from: number; readonly to: number } {
  const root: DocumentOrShadowRoot & { getSelection?: () => Selection | null } = view.root;
  const { anchorNode = null, anchorOffset = 0, focusNode = null, focusOffset = 0 } = root.getSelection?.() ?? {};
  if (!view.contentDOM.contains(anchorNode) || !view.contentDOM.contains(focusNode)) return view.state.selection.main;
  if (anchorNode === null || focusNode === null) return view.state.selection.main;
  const ends = [view.posAtDOM(anchorNode, anchorOffset), view.posAtDOM(focusNode, focusOffset)];
  return { from: Math.min(...ends), to: Math.max(...ends) };
}

export interface Editor {
  text(): string;
  setText(sql: string): void;
  close(): void;
}

/** @param run called when the user presses Ctrl-Enter (or Command-Enter) @param changed called with each new text */
export function createEditor(
  parent: HTMLElement,
  text: string,
  run: () => void,
  changed: (sql: string) => void,
): Editor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: 'open' });
  const runKey = {
    key: 'Mod-Enter',
    run: (view: EditorView) => {
      closeCompletion(view);
      run();
      return true;
    },
  };
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        Prec.highest(keymap.of([runKey])),
        history(),
        drawSelection(),
        bracketMatching(),
        sql({ dialect, upperCaseKeywords: true }),
        dialect.language.data.of({ autocomplete: completeTables }),
        dialect.language.data.of({ autocomplete: completeColumns }),
        autocompletion({ icons: false }),
        syntaxHighlighting(colours),
        look,
        replaceSelection,
        EditorView.domEventHandlers({ blur: (_, view) => void closeCompletion(view) }),
        placeholder('SELECT * FROM "database"."table" ORDER BY time DESC LIMIT 100'),
        // The Tab key leaves the editor, for those who use the keyboard only.
        keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'SQL statement. Control Enter runs it.' }),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (!docChanged) return;
          const text = state.doc.toString();
          // Requests the columns of a table when it is named, so that they are known when they are needed.
          tablesIn(text);
          changed(text);
        }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText: (sql) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: sql } }),
    close: () => view.destroy(),
  };
}

/** Databases, and after a dot their tables and the tables' columns. */
function completeTables(context: CompletionContext): ReturnType<ReturnType<typeof schemaCompletionSource>> {
  const schema: Record<string, Record<string, SQLNamespace>> = {};
  for (const { database, table, columns = [] } of knownTables()) {
    schema[database] = { ...schema[database], [table]: columns.map(({ name }) => name) };
  }
  return schemaCompletionSource({ dialect, schema })(context);
}

/** The columns of the tables that the statement names, and names of tables with their database. */
function completeColumns(context: CompletionContext): CompletionResult | null {
  const word = context.matchBefore(/[\w-]+/);
  if (word === null && !context.explicit) return null;
  const from = word?.from ?? context.pos;
  if (/["'.]/.test(context.state.sliceDoc(from - 1, from))) return null;
  const columns = tablesIn(context.state.doc.toString())
    .flatMap(({ columns: known = [] }) => known)
    .map(({ name, role, type }) => ({ label: name, apply: identifier(name), detail: `${role}, ${type}`, boost: 2 }));
  const tables = knownTables().map(({ database, table }) => ({
    label: table,
    apply: qualified(database, table),
    detail: `table of ${database}`,
    boost: 1,
  }));
  const distinct = new Map([...tables, ...columns].map((option) => [option.apply, option]));
  return { from, options: [...distinct.values()], validFor: /^[\w-]*$/ };
}
