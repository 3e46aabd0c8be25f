/** Checks the mapping of each table and the target before anything is written. Each finding has a fixed name. */
import { grouped } from '../count-text';
import { DataConversionError } from '../errors';
import { readBucketFacts } from '../influxdb/bucket-facts';
import { type TargetTable, targetTable } from './fields';
import type { Finding, Migration, TableSurvey } from './records';
import type { MigrationServices } from './services';
import { timeText } from './target-counts';

/** Columns of a table in InfluxDB 3 Core, with time and tags. Source: "Limitations" in the InfluxDB 3 Core documentation. */
const MAX_COLUMNS_V3 = 500;
/** Series of the smallest instance that should be planned for, and of the largest. Source: sizing of Timestream for InfluxDB. */
const SERIES = { warn: 1_000_000, max: 10_000_000 };

interface Mapped {
  readonly survey: TableSurvey;
  readonly target: TargetTable;
}

/** @throws InfluxDBConnectionError or InfluxDBWriteError if the target cannot be queried */
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
      const target = targetTable(survey, survey.columns, mapping);
      mapped.push({ survey, target });
      findings.push(...columnFindings(survey, target, services));
    } catch (error) {
      if (!(error instanceof DataConversionError)) throw error;
      findings.push({ severity: 'problem', name: 'mapping', table: survey.table, detail: error.message });
    }
  }
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

function columnFindings(
  { table, measureNames }: TableSurvey,
  target: TargetTable,
  { influxdb }: MigrationServices,
): Finding[] {
  const pivoted = target.fields.some(({ key }) => key === null) ? measureNames.length : 0;
  const columns = 1 + target.tags.length + target.fields.filter(({ key }) => key !== null).length + pivoted;
  if (influxdb.target.engine !== 'v3' || columns <= MAX_COLUMNS_V3) return [];
  const detail = `${grouped(columns)} columns, but a table of InfluxDB 3 Core has at most ${MAX_COLUMNS_V3}`;
  return [{ severity: 'problem', name: 'too-many-columns', table, detail }];
}

/** Retention and types of fields that the bucket has already. */
async function targetFindings(mapped: readonly Mapped[], services: MigrationServices): Promise<Finding[]> {
  const findings: Finding[] = [];
  const facts = await readBucketFacts(
    services.influxdb,
    mapped.map(({ target }) => target.measurement),
    { signal: services.deadline, clock: services.clock },
  );
  const oldest =
    facts.retentionSeconds === null
      ? undefined
      : BigInt(Math.floor(services.now() / 1000) - facts.retentionSeconds) * 1_000_000_000n;
  for (const { survey, target } of mapped) {
    const { table, first } = survey;
    if (oldest !== undefined && first !== null && BigInt(first) < oldest) {
      const detail = `the first row is from ${timeText(first)}, but the bucket keeps ${grouped((facts.retentionSeconds ?? 0) / 3600)} h: older points are rejected. Change the retention, or use --from`;
      findings.push({ severity: 'problem', name: 'retention', table, detail });
    }
    const stored = facts.fields.get(target.measurement) ?? new Map<string, string>();
    const conflicts = target.fields.flatMap(({ key, kind }) => {
      const found = key === null ? undefined : stored.get(key);
      const type = kind === 'timestamp' ? 'integer' : kind;
      return found === undefined || found === type ? [] : [`${key} is ${found} in the bucket and ${type} in the table`];
    });
    if (conflicts.length > 0) {
      findings.push({ severity: 'problem', name: 'type-conflict', table, detail: conflicts.slice(0, 10).join('; ') });
    }
  }
  return findings;
}
