/** Checks the mapping of each table and the target before anything is written. Each finding has a fixed name. */
import { grouped } from '../count-text';
import { DataConversionError } from '../errors';
import { readBucket } from '../influxdb/bucket';
import type { BucketState } from '../influxdb/bucket-state';
import { timeText } from '../nanoseconds';
import { type TargetTable, targetTable } from './fields';
import type { Finding, Migration, TableSurvey } from './records';
import type { MigrationServices } from './services';

/** Columns of a table in InfluxDB 3 Core, with time and tags. Source: "Limitations" in the InfluxDB 3 Core documentation. */
const MAX_COLUMNS_V3 = 500;
/** Series of the smallest instance that should be planned for, and of the largest. Source: sizing of Timestream for InfluxDB. */
const SERIES = { warn: 1_000_000, max: 10_000_000 };

interface Mapped {
  readonly survey: TableSurvey;
  readonly target: TargetTable;
}

/** A bucket that cannot be read is a warning: the load reports the points that InfluxDB rejects. */
export async function preflight(
  migration: Migration,
  surveys: readonly TableSurvey[],
  services: MigrationServices,
): Promise<Finding[]> {
  const { mapping } = migration.request;
  const findings = surveys.flatMap((survey) => mappingFindings(survey, migration));
  const mapped: Mapped[] = [];
  for (const survey of surveys.filter(({ rows }) => rows > 0)) {
    try {
      mapped.push({ survey, target: targetTable(survey, survey.columns, mapping) });
    } catch (error) {
      if (!(error instanceof DataConversionError)) throw error;
      findings.push({ severity: 'problem', name: 'mapping', table: survey.table, detail: error.message });
    }
  }
  findings.push(...sharedMeasurements(mapped));
  const series = surveys.reduce((sum, survey) => sum + survey.series, 0);
  if (services.influxdb.target.engine === 'v2' && series > SERIES.warn) {
    const detail = `about ${grouped(series)} series: an InfluxDB 2 instance holds 1 M (2xlarge) to 10 M (8xlarge). Use --dimensions-to-fields for dimensions with many values`;
    findings.push({ severity: 'warning', name: 'series', table: null, detail });
  }
  return [...findings, ...(await targetFindings(mapped, services))];
}

/** Whether the rows fit the options of the mapping. */
function mappingFindings({ table, columns, measureNames, rows }: TableSurvey, { request }: Migration): Finding[] {
  const { measureName, dimensionsToFields } = request.mapping;
  const findings: Finding[] = [];
  const problem = (name: string, detail: string) => findings.push({ severity: 'problem', name, table, detail });
  if (rows === 0)
    findings.push({ severity: 'warning', name: 'empty-table', table, detail: 'there are no rows in the range' });
  if (measureName === 'drop' && measureNames.length > 1) {
    problem(
      'measure-names',
      `measure_name has ${grouped(measureNames.length)} values, such as ${measureNames.slice(0, 3).join(', ')}: drop needs exactly one`,
    );
  }
  const unknown = dimensionsToFields.filter(
    (name) => !columns.some((column) => column.name === name && column.role === 'dimension'),
  );
  if (unknown.length > 0) {
    findings.push({
      severity: 'warning',
      name: 'unknown-dimension',
      table,
      detail: `no dimension is named ${unknown.join(', ')}`,
    });
  }
  return findings;
}

/** Names that InfluxDB reserves are changed, so two tables may get one measurement; then no window of them could be counted. */
function sharedMeasurements(mapped: readonly Mapped[]): Finding[] {
  return mapped.flatMap(({ survey: { table }, target: { measurement } }, index) => {
    const other = mapped.slice(0, index).find(({ target }) => target.measurement === measurement)?.survey.table;
    if (other === undefined) return [];
    const detail = `${other} becomes the measurement ${measurement} too: migrate one of them into another bucket`;
    return [{ severity: 'problem' as const, name: 'measurement', table, detail }];
  });
}

/** Columns, retention and types of fields, with what the bucket has already. */
async function targetFindings(mapped: readonly Mapped[], services: MigrationServices): Promise<Finding[]> {
  if (mapped.length === 0) return [];
  const reading = await readBucket(services.influxdb);
  const unread = reading.kind === 'read' ? undefined : reading.reason;
  const state: BucketState =
    reading.kind === 'read' ? reading.state : { retentionSeconds: undefined, columns: new Map() };
  const findings = mapped.flatMap((table) => [
    ...columnFindings(table, state, services),
    ...retentionFindings(table, state, services),
    ...typeFindings(table, state),
  ]);
  if (unread === undefined) return findings;
  const detail = `retention and types of the bucket were not checked: ${unread}`;
  return [{ severity: 'warning', name: 'bucket-unread', table: null, detail }, ...findings];
}

function columnFindings(
  { survey, target }: Mapped,
  { columns: stored }: BucketState,
  { influxdb }: MigrationServices,
): Finding[] {
  if (influxdb.target.engine !== 'v3') return [];
  const isPivoted = target.fields.some(({ key }) => key === null);
  const columns = new Set([
    'time',
    ...(stored.get(target.measurement)?.keys() ?? []),
    ...target.tags.map(({ key }) => key),
    ...target.fields.flatMap(({ key }) => key ?? []),
    ...(isPivoted ? survey.measureNames : []),
  ]);
  if (columns.size <= MAX_COLUMNS_V3) return [];
  const detail = `${grouped(columns.size)} columns, but a table of InfluxDB 3 Core has at most ${MAX_COLUMNS_V3}`;
  return [{ severity: 'problem', name: 'too-many-columns', table: survey.table, detail }];
}

function retentionFindings(
  { survey }: Mapped,
  { retentionSeconds }: BucketState,
  { now }: MigrationServices,
): Finding[] {
  const { table, first } = survey;
  if (retentionSeconds === undefined || first === null) return [];
  const oldest = BigInt(Math.floor(now() / 1000) - retentionSeconds) * 1_000_000_000n;
  if (BigInt(first) >= oldest) return [];
  const detail =
    `the first row is from ${timeText(first)}, but the bucket keeps ${grouped(retentionSeconds / 3600)} h: older points are rejected. ` +
    'Change the retention, or use --from';
  return [{ severity: 'problem', name: 'retention', table, detail }];
}

function typeFindings({ survey, target }: Mapped, { columns }: BucketState): Finding[] {
  const stored = columns.get(target.measurement);
  const conflicts = target.fields.flatMap(({ key, kind }) => {
    const type = kind === 'timestamp' ? 'integer' : kind;
    const others = [...((key === null ? undefined : stored?.get(key)) ?? [])].filter((other) => other !== type);
    return others.length === 0 ? [] : [`${key} is ${others.join(' and ')} in the bucket and ${type} in the table`];
  });
  if (conflicts.length === 0) return [];
  return [
    { severity: 'problem', name: 'type-conflict', table: survey.table, detail: conflicts.slice(0, 10).join('; ') },
  ];
}
