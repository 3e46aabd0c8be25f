/** The panel Writes: the last requests with their refused lines, and line protocol to try. */
import { useState } from 'preact/hooks';
import { api } from './api';
import { bytes, count, counted, duration, timeOfDay } from './format';
import { Card, ErrorNotice, Scroller, Status, Table } from './notice';
import { usePoll } from './poll';
import type { RefusedLine, WriteEntry } from './responses';
import { TryLines } from './try-lines';

export function Writes() {
  const { data, error } = usePoll(api.writes, 'writes');
  const [onlyRefused, setOnlyRefused] = useState(false);
  const writes = data?.writes.filter(({ status }) => !onlyRefused || status >= 300);
  return (
    <div class="stack">
      <TryLines />
      <Card title="Last 200 requests">
        <ErrorNotice error={error} />
        <label class="check">
          <input
            type="checkbox"
            checked={onlyRefused}
            onChange={({ currentTarget }) => setOnlyRefused(currentTarget.checked)}
          />
          Only requests with errors
        </label>
        {writes?.length === 0 && <p class="muted">{onlyRefused ? 'No request had an error.' : 'No requests yet.'}</p>}
        <ul class="writes">
          {writes?.map((write) => (
            <li key={write.id}>
              <Write write={write} />
            </li>
          ))}
        </ul>
      </Card>
    </div>
  );
}

function Write({ write }: { readonly write: WriteEntry }) {
  const { time, client, path, precision, lines, status, milliseconds, stored, influxdbOnly, unstored, message } = write;
  const { refusedLines } = write;
  const [isOpen, setOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <span class="number">{timeOfDay(time)}</span> <Status status={status} refusedLines={refusedLines} />{' '}
        <span class="count">{counted(lines, 'line')}</span> <span class="count">{count(stored)} stored</span>{' '}
        <span class={`count ${refusedLines > 0 ? 'bad' : 'muted'}`}>{count(refusedLines)} refused</span>{' '}
        <span>{duration(milliseconds)}</span> {influxdbOnly > 0 && <span>InfluxDB only: {count(influxdbOnly)}</span>}{' '}
        <span class="client">{client}</span>
      </summary>
      {isOpen && (
        <>
          <p class="muted request">
            {client}: {path}, precision {precision}, {bytes(write.bytes)}
            {influxdbOnly > 0 &&
              `, ${counted(influxdbOnly, 'line')} stored in InfluxDB only, because of a limit of Timestream`}
            {unstored > 0 && `, ${counted(unstored, 'point')} not stored`}
          </p>
          {message !== '' && <pre class="message">{message}</pre>}
          {write.refused.length > 0 && <RefusedLines refused={write.refused} total={refusedLines} />}
        </>
      )}
    </details>
  );
}

function RefusedLines({ refused, total }: { readonly refused: readonly RefusedLine[]; readonly total: number }) {
  return (
    <Scroller label="Refused lines">
      <Table headings={[{ title: 'Line', isNumber: true }, { title: 'Reason' }, { title: 'Text' }]}>
        {refused.map(({ line, reason, text, destination = '' }) => (
          <tr key={`${line} ${destination}`}>
            <td class="number">{line}</td>
            <td>{reason}</td>
            <td>
              <code>{text}</code>
            </td>
          </tr>
        ))}
      </Table>
      {refused.length < total && (
        <p class="muted">
          The first {count(refused.length)} of {count(total)} refused lines.
        </p>
      )}
    </Scroller>
  );
}
