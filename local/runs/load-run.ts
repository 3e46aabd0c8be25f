/** The run of a load: how its summary ends its file. */
import type { Target } from 'shared/influxdb/protocol';
import type { Summary } from 'shared/loads/summary';
import { DONE, INTERRUPTED } from '../cli/ending';
import { RunRecorder } from './recorder';
import type { Run } from './run';

export const targetText = ({ url, bucket }: Target): string => `${url} ${bucket}`;

/** @param source as the user named it */
export const startLoadRun = (folder: string, id: string, source: string, target: Target): RunRecorder =>
  new RunRecorder({ folder, id, kind: 'load', source, target: targetText(target) });

/** @param code the exit code of the command; `report`: the summary as text */
export function endLoadRun(run: RunRecorder, summary: Summary, code: number, report: string): void {
  const { items, failed_items: failed, points_written: written, rejected_points: rejected, failed_points } = summary;
  run.end({
    status: statusOf(code),
    items: { done: items - failed, total: items, failed },
    points: { written, rejected, failed: failed_points },
    causes: [
      ...summary.causes.map(({ error, cause, items: count }) => ({ cause: `${error}: ${cause}`, count })),
      ...countsOf(summary.rejected_reasons),
      ...countsOf(summary.invalid_records),
    ],
    report,
  });
}

export const statusOf = (code: number): Run['status'] => {
  if (code === DONE) return 'succeeded';
  return code === INTERRUPTED ? 'interrupted' : 'failed';
};

const countsOf = (counts: Readonly<Record<string, number>>): Run['causes'] =>
  Object.entries(counts).map(([cause, count]) => ({ cause, count }));
