/** The panel Overview: what the server does now, and how much is stored. */
import { useMemo } from 'preact/hooks';
import { api } from './api';
import { Chart } from './chart';
import { count, counted, dateAndTime, duration } from './format';
import { Card, ErrorNotice, Status, Table } from './notice';
import { usePoll } from './poll';
import type { Overview } from './responses';
import { hashOf } from './route';

export function OverviewPanel() {
  const { data, error } = usePoll(api.overview, 'overview');
  return (
    <>
      <ErrorNotice error={error} />
      {data !== undefined && <Figures overview={data} />}
    </>
  );
}

function Figures({ overview }: { readonly overview: Overview }) {
  const { started, uptimeMs, p50Ms, p99Ms, pointsStored, rejectedLines, faultyLines, unstored } = overview;
  const latency = (ms: number | null): string => (ms === null ? '–' : duration(ms));
  return (
    <>
      <dl class="figures">
        <Figure name="Points stored" value={count(pointsStored)} />
        <Figure name="Invalid lines" value={count(faultyLines)} isBad={faultyLines > 0} />
        <Figure name="Rejected lines" value={count(rejectedLines)} isBad={rejectedLines > 0} />
        <Figure name="Points not stored" value={count(unstored)} isBad={unstored > 0} />
        <Figure name="Latency p50" value={latency(p50Ms)} />
        <Figure name="Latency p99" value={latency(p99Ms)} />
      </dl>
      <div class="columns">
        <Card title="Points a second">
          <Rate overview={overview} />
        </Card>
        <Card title="Requests by status">
          <Statuses statuses={overview.statuses} />
        </Card>
        <Card title="Tables">
          <Tables overview={overview} />
        </Card>
      </div>
      <p class="muted">
        Points go to {destinationsOf(overview)}. Started {dateAndTime(started)}, {duration(uptimeMs)} ago. Latency: of
        the last 1,000 writes.
      </p>
    </>
  );
}

function destinationsOf({ destination, url, influxdbUrl }: Overview): string {
  const timestream = url === null ? 'Amazon Timestream' : `the embedded Timestream at ${url}`;
  const influxdb = `InfluxDB at ${influxdbUrl}`;
  if (destination === 'both') return `${timestream} and to ${influxdb}`;
  return destination === 'influxdb' ? influxdb : timestream;
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly isBad?: boolean;
}

const Figure = ({ name, value, isBad = false }: FigureProps) => (
  <div class={isBad ? 'card figure bad' : 'card figure'}>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

function Rate({ overview }: { readonly overview: Overview }) {
  const times = useMemo(() => overview.seconds.map(({ time }) => time / 1_000), [overview]);
  const points = useMemo(() => overview.seconds.map((second) => second.points), [overview]);
  const lines = useMemo(() => [{ name: 'Points', values: points }], [points]);
  // The last second is still running.
  const latest = overview.seconds.at(-2);
  const text = `${counted(latest?.points ?? 0, 'point')} in ${counted(latest?.requests ?? 0, 'request')} in the last second`;
  const maximum = `at most ${counted(Math.max(...points), 'point')} a second in the last five minutes`;
  return (
    <>
      <Chart label={`Points a second: ${text}, ${maximum}`} times={times} lines={lines} height={300} kind="live" />
      <p class="muted">
        {text}, {maximum}
      </p>
    </>
  );
}

function Statuses({ statuses }: { readonly statuses: Overview['statuses'] }) {
  const rows = Object.entries(statuses).sort();
  if (rows.length === 0) return <p class="muted">No requests yet.</p>;
  return (
    <Table headings={[{ title: 'Status' }, { title: 'Requests', isNumber: true }]}>
      {rows.map(([status, requests]) => (
        <tr key={status}>
          <td>
            <a href={hashOf({ panel: 'writes' })}>
              <Status status={status} />
            </a>
          </td>
          <td class="number">{count(requests)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Tables({ overview: { destination, influxdbUrl, tables } }: { readonly overview: Overview }) {
  if (destination === 'influxdb') return <p class="muted">The points are in InfluxDB at {influxdbUrl}.</p>;
  if (tables.length === 0) return <p class="muted">No tables yet. Write a point to create one.</p>;
  const sorted = [...tables].sort((one, other) => (other.records ?? 0) - (one.records ?? 0));
  const largest = Math.max(1, ...tables.map(({ records }) => records ?? 0));
  return (
    <section class="tables" tabIndex={0} aria-label="Sizes of tables">
      <Table headings={[{ title: 'Table' }, { title: 'Records', isNumber: true }]}>
        {sorted.map(({ database, table, records }) => (
          <tr key={`${database} ${table}`}>
            <td>
              <a href={hashOf({ panel: 'data', database, table })}>{table}</a> <span class="muted">{database}</span>
              <span class="bar" style={{ width: `${((records ?? 0) / largest) * 100}%` }} />
            </td>
            <td class="number">{records === null ? 'not counted' : count(records)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
