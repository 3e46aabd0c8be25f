/** Finds out before anything is written whether the options make one point of rows with different values. */
import { DataConversionError } from '../errors';
import { overwrittenText } from './compare';
import { type TargetTable, targetTable } from './fields';
import { type QueryServices, QueryTooLargeError } from './query';
import type { Finding, TableSurvey } from './records';
import type { MigrationRequest } from './request';
import { countSource } from './source-counts';

/**
 * The survey with a finding for each field that loses values in the window with the most rows. The other windows are counted after their
 * export.
 * @throws TimestreamQueryError or TimestreamUnavailableError
 */
export async function withMerges(
  survey: TableSurvey,
  { database, mapping, allowMerges }: MigrationRequest,
  services: QueryServices,
): Promise<TableSurvey> {
  const [window] = [...survey.windows].sort((a, b) => b.rows - a.rows);
  const target = mapped(survey, mapping);
  if (window === undefined || target === undefined || !mayMerge(survey, target)) return survey;
  try {
    const source = { database, table: survey.table, target };
    const { count, scannedBytes } = await countSource(source, window, false, services);
    const findings = count.fields.flatMap(({ field, count: left, overwritten = 0 }): Finding[] => {
      if (overwritten === 0) return [];
      const severity = allowMerges ? 'warning' : 'problem';
      const detail = `field ${field}: ${overwrittenText(overwritten, left)}`;
      return [{ severity, name: 'overwritten', table: survey.table, detail }];
    });
    const bytes = survey.scannedBytes + scannedBytes;
    return { ...survey, scannedBytes: bytes, findings: [...survey.findings, ...findings] };
  } catch (error) {
    // The export cuts the window into halves, and counts them.
    if (error instanceof QueryTooLargeError) return survey;
    throw error;
  }
}

/** Undefined if the columns cannot be mapped, which is a finding of its own. */
function mapped(survey: TableSurvey, mapping: MigrationRequest['mapping']): TargetTable | undefined {
  try {
    return targetTable(survey, survey.columns, mapping);
  } catch (error) {
    if (error instanceof DataConversionError) return undefined;
    throw error;
  }
}

/** Whether a column that identifies a row is no tag, or a value of measure_name is the name of a column's field too. */
const mayMerge = ({ measureNames }: TableSurvey, { fields, merges }: TargetTable): boolean =>
  merges || (fields.some(({ key }) => key === null) && fields.some(({ key }) => measureNames.includes(key ?? '')));
