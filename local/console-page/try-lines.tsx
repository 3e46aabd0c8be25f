/** A box to try line protocol: what would become of each line, and after sending, what became of it. */
import { useState } from 'preact/hooks';
import type { TriedLine } from '../console/tried-line';
import { api, RequestError } from './api';
import { counted } from './format';
import { Card, ErrorNotice, Scroller, Status, Table } from './notice';
import type { TriedLines, WriteEntry } from './responses';

const PRECISIONS = ['ns', 'us', 'ms', 's'] as const;
const EXAMPLE = 'weather,city=Lisbon temperature=21.5,humid=true\nweather,city=Porto temperature=';

interface Sent {
  readonly status: number;
  readonly message?: string;
  /** The server's record of the request; missing if 200 newer ones pushed it out. */
  readonly entry?: WriteEntry;
}

export function TryLines() {
  const [text, setText] = useState('');
  const [precision, setPrecision] = useState<string>('ns');
  const [tried, setTried] = useState<TriedLines>();
  const [sent, setSent] = useState<Sent>();
  const [error, setError] = useState<string>();

  /** Results of other lines are outdated. */
  function change(next: string, nextPrecision = precision): void {
    setText(next);
    setPrecision(nextPrecision);
    setTried(undefined);
    setSent(undefined);
  }
  async function check(): Promise<void> {
    setError(undefined);
    setSent(undefined);
    setTried(await api.tryLines(text, precision));
  }
  async function sendLines(): Promise<void> {
    await check();
    setSent(await written(text, precision));
  }
  const orShowError = (work: () => Promise<void>) => (): void => {
    work().catch((reason: unknown) => setError(reason instanceof Error ? reason.message : String(reason)));
  };

  return (
    <Card title="Try line protocol">
      <label class="stacked">
        Lines
        <textarea
          rows={4}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => change(currentTarget.value)}
          placeholder={EXAMPLE}
        />
      </label>
      <div class="tools">
        <label>
          Precision{' '}
          <select value={precision} onChange={({ currentTarget }) => change(text, currentTarget.value)}>
            {PRECISIONS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <button type="button" class="primary" disabled={text === ''} onClick={orShowError(check)}>
          Check
        </button>
        <button type="button" disabled={text === ''} onClick={orShowError(sendLines)}>
          Send
        </button>
        <button type="button" onClick={() => change(EXAMPLE)}>
          Insert an example
        </button>
      </div>
      <ErrorNotice error={error} />
      <div role="status">
        {tried !== undefined && sent === undefined && <p class="muted">{expectation(tried)}</p>}
        {sent !== undefined && (
          <p>
            Sent: <Status status={sent.status} refusedLines={sent.entry?.refusedLines} />
          </p>
        )}
        {sent?.message !== undefined && <pre class="message">{sent.message}</pre>}
      </div>
      {tried !== undefined && tried.lines.length > 0 && <Lines tried={tried.lines} sent={sent} />}
    </Card>
  );
}

/** Sends the lines as any client does, and finds the server's record of the request. */
async function written(lines: string, precision: string): Promise<Sent> {
  const { writes: before } = await api.writes();
  const old = new Set(before.map(({ id }) => id));
  const result = await api.write(lines, precision).then(
    (status) => ({ status }),
    (reason: unknown) => {
      if (!(reason instanceof RequestError) || reason.status === 0) throw reason;
      return { status: reason.status, message: reason.message };
    },
  );
  const size = new TextEncoder().encode(lines).length;
  const { writes } = await api.writes();
  const entry = writes.find((each) => !old.has(each.id) && each.bytes === size && each.status === result.status);
  return { ...result, ...(entry !== undefined && { entry }) };
}

function expectation({ lines, unchecked }: TriedLines): string {
  const stored = lines.filter(({ outcome }) => outcome === 'stored').length;
  const only = lines.filter(({ influxdbOnly }) => influxdbOnly).length;
  const where = only > 0 ? ` (InfluxDB only: ${only})` : '';
  const counts = `${counted(stored, 'line')} would be stored${where}, ${counted(lines.length - stored, 'line')} refused`;
  return `Nothing was sent. ${counts}. ${unchecked}`;
}

function Lines({ tried, sent }: { readonly tried: readonly TriedLine[]; readonly sent: Sent | undefined }) {
  return (
    <Scroller label="What becomes of each line">
      <Table
        headings={[
          { title: 'Line', isNumber: true },
          { title: 'Text' },
          { title: 'Before sending' },
          ...(sent === undefined ? [] : [{ title: 'After sending' }]),
        ]}
      >
        {tried.map((line) => (
          <tr key={line.line}>
            <td class="number">{line.line}</td>
            <td>
              <code>{line.text}</code>
            </td>
            <td>
              <Before line={line} />
            </td>
            {sent !== undefined && (
              <td>
                <After line={line} sent={sent} />
              </td>
            )}
          </tr>
        ))}
      </Table>
    </Scroller>
  );
}

function Before({ line: { outcome, influxdbOnly, reason, table, record } }: { readonly line: TriedLine }) {
  if (outcome !== 'stored') {
    return (
      <>
        <span class="badge bad">{outcome === 'faulty' ? 'invalid' : 'rejected'}</span> {reason}
      </>
    );
  }
  if (influxdbOnly) {
    return (
      <>
        <span class="badge good">would be stored in InfluxDB only</span> {reason}
      </>
    );
  }
  return (
    <>
      <span class="badge good">would be stored</span> {table !== undefined && `in ${table}`} {reason}
      {record !== undefined && (
        <details>
          <summary>Record</summary>
          <pre>{JSON.stringify(record, null, 2)}</pre>
        </details>
      )}
    </>
  );
}

/** With 400 and 422 the server stores every line that it does not refuse. */
function After({ line, sent: { status, entry } }: { readonly line: TriedLine; readonly sent: Sent }) {
  const refused = entry?.refused.filter((each) => each.line === line.line) ?? [];
  if (refused.length > 0) {
    return (
      <>
        <span class="badge bad">refused</span> {refused.map(({ reason }) => reason).join('; ')}
      </>
    );
  }
  const listsAll = entry !== undefined && entry.refused.length === entry.refusedLines && entry.unstored === 0;
  if (status === 204 || ((status === 400 || status === 422) && listsAll && entry.stored > 0)) {
    return <span class="badge good">{line.influxdbOnly ? 'stored in InfluxDB only' : 'stored'}</span>;
  }
  return <span class="badge late">see the response</span>;
}
