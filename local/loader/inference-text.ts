/** Formats an inference for people: what was decided and why, the series to expect, and what is not certain. */
import { grouped, number } from 'shared/count-text';
import { oneLine } from 'shared/one-line';
import type { InferredLoad, Overwrites } from './infer';

/** Columns that are listed per role. */
const MAX_COLUMNS = 60;

export function inferenceText(inference: InferredLoad): string {
  const { decisions, ambiguities, overwrites, mapping } = inference;
  const roles = ['time', 'tag', 'field', 'left out'] as const;
  const notes = [...ambiguities, ...overwriteNotes(overwrites)];
  return [
    sampleText(inference),
    `measurement  ${mapping.measurement}`,
    ...roles.flatMap((role) => {
      const all = decisions.filter((decision) => decision.role === role);
      const lines = all.slice(0, MAX_COLUMNS).map(({ column, why }) => `${role.padEnd(11)}  ${column}: ${why}`);
      return all.length > MAX_COLUMNS ? [...lines, `${role.padEnd(11)}  and ${all.length - MAX_COLUMNS} more`] : lines;
    }),
    `series       ${seriesText(inference)}`,
    ...(notes.length > 0 ? ['Not certain:', ...notes.map((note) => `  ${note}`)] : []),
  ]
    .map(oneLine)
    .join('\n');
}

function overwriteNotes({ inFiles, acrossFiles, example }: Overwrites): string[] {
  const advice = 'a column that tells them apart should be a tag (--tag COLUMN)';
  const within = `${number(inFiles, 'sampled row')} would overwrite an earlier row with the same tags and time: ${advice}`;
  const across = `${number(acrossFiles, 'sampled row')} would overwrite a row of another file with the same tags and time, such as ${example?.[1]} and ${example?.[0]}: ${advice}; if only the names of the files do, \`path\` in the mapping makes tags of parts of them`;
  return [...(inFiles > 0 ? [within] : []), ...(acrossFiles > 0 ? [across] : [])];
}

function sampleText({ rows, sampledRows, files, moreFiles, sampledFiles }: InferredLoad): string {
  const all = `${moreFiles ? 'the first ' : ''}${number(files, 'file')}`;
  const of = sampledFiles < files ? `${grouped(sampledFiles)} of ${all}` : all;
  if (sampledRows >= rows) return `Read ${number(rows, 'row')} in ${of}`;
  return `Read ${grouped(sampledRows)} of ${number(rows, 'row')} in ${of}`;
}

function seriesText({ series, maxSeries, rows, sampledRows, files, sampledFiles }: InferredLoad): string {
  if (sampledRows >= rows && sampledFiles === files) return grouped(series);
  const max =
    maxSeries === undefined || maxSeries <= series
      ? ''
      : `, at most ${grouped(maxSeries)} with the values of the sample`;
  return `at least ${grouped(series)}${max}`;
}
