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
  const { id, kind, status, source, target, items, points, migration, pointsPerSecond, causes, report } = run;
  return (
    <Card title={`${kind === 'load' ? 'Load' : 'Migration'} of ${source}`}>
      <p>
        <span class={`badge ${badgeOf(run)}`}>{status}</span> to {target}. {times(run)}
      </p>
      <Progress run={run} />
      <dl class="inline">
        {migration !== null && (
          <>
            <dt>Windows exported</dt>
            <dd>{count(migration.exported)}</dd>
            <dt>Loaded</dt>
            <dd>{count(items.done)}</dd>
            <dt>Verified</dt>
            <dd>{count(migration.verified)}</dd>
          </>
        )}
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

/** The items of a load, or the windows of a migration in its current step. */
function Progress({ run }: { readonly run: Run }) {
  const { items, migration, status } = run;
  const step = migration !== null && status === 'running' ? migration.step : undefined;
  const done = step === 'export' ? migration?.exported : step === 'verify' ? migration?.verified : items.done;
  const noun = migration === null ? 'item' : 'window';
  return (
    <label class="stacked">
      {step !== undefined && <b>Step {step}: </b>}
      {step === 'survey'
        ? `${counted(items.total, noun)} so far`
        : `${count(done ?? 0)} of ${counted(items.total, noun)}`}
      {step === undefined && migration !== null && ' loaded'}
      {items.failed > 0 && `, ${count(items.failed)} failed`}
      {/* Without a value it shows that the end is not known. */}
      <progress {...(step !== 'survey' && { value: done })} max={Math.max(1, items.total)} />
    </label>
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
