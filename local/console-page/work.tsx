/** The panel Loads and migrations: the runs of this machine, their progress, errors and reports. */
import { api } from './api';
import { count, counted, dateAndTime, duration } from './format';
import { Card, ErrorNotice, Table } from './notice';
import { usePoll } from './poll';
import type { Run } from './responses';

export function Work() {
  const { data, error } = usePoll(api.work, 'work');
  return (
    <div class="stack">
      <ErrorNotice error={error} />
      {data?.runs.length === 0 && (
        <p class="notice">
          No load or migration has run on this machine. Start one in a terminal:{' '}
          <code>npm run load -- FOLDER --url URL</code>
        </p>
      )}
      {data?.runs.map((run) => (
        <RunCard key={run.id} run={run} />
      ))}
    </div>
  );
}

function RunCard({ run }: { readonly run: Run }) {
  const { id, kind, status, source, target, items, points, pointsPerSecond, causes, report } = run;
  return (
    <Card title={`${kind === 'load' ? 'Load' : 'Migration'} of ${source}`}>
      <p>
        <span class={`badge ${badgeOf(run)}`}>{status}</span> to {target}. {times(run)}
      </p>
      <label class="stacked">
        {count(items.done)} of {counted(items.total, 'item')}
        {items.failed > 0 && `, ${count(items.failed)} failed`}
        <progress value={items.done} max={Math.max(1, items.total)} />
      </label>
      <dl class="inline">
        <dt>Points written</dt>
        <dd>{count(points.written)}</dd>
        <dt>Rejected</dt>
        <dd>{count(points.rejected)}</dd>
        <dt>Failed</dt>
        <dd>{count(points.failed)}</dd>
        <dt>Points a second</dt>
        <dd>{count(pointsPerSecond)}</dd>
      </dl>
      {causes.length > 0 && (
        <Table caption="Causes of errors" headings={[{ title: 'Cause' }, { title: 'Count', isNumber: true }]}>
          {causes.map(({ cause, count: times }) => (
            <tr key={cause}>
              <td>{cause}</td>
              <td class="number">{count(times)}</td>
            </tr>
          ))}
        </Table>
      )}
      {report !== null && (
        <details>
          <summary>Report</summary>
          <pre tabIndex={0}>{report}</pre>
        </details>
      )}
      <p class="muted">{id}</p>
    </Card>
  );
}

function badgeOf({ status, items }: Run): string {
  if (status === 'failed' || items.failed > 0) return 'bad';
  return status === 'succeeded' ? 'good' : 'late';
}

function times({ started, ended }: Run): string {
  const start = `Started ${dateAndTime(started)}`;
  if (ended === null) return `${start}.`;
  return `${start}, took ${duration(Date.parse(ended) - Date.parse(started))}.`;
}
