/** The tables of a differential in the acceptance report. */
import { code, detail } from '../report';
import type { Comparison } from './compare';

/**
 * Adds the number of comparisons by source, and each class of differences with an example.
 * @param documented the cells of docs/differences.md for each difference
 * @param whom what is compared with InfluxDB
 */
export function reportComparisons(
  compared: ReadonlyMap<string, readonly Comparison[]>,
  documented: ReadonlyMap<string, readonly string[]>,
  whom: string,
): void {
  const counts = [...compared].map(([source, comparisons]) => {
    const count = (of: (each: Comparison) => boolean): number => comparisons.filter(of).length;
    const equal = count(({ classes, unexplained: open }) => classes.length === 0 && !open);
    const stored = comparisons.reduce((sum, each) => sum + each.connector.values.length, 0);
    return [
      source,
      comparisons.length,
      equal,
      count(({ classes }) => classes.length > 0),
      count((each) => each.unexplained),
      stored,
    ];
  });
  const columns = [
    'requests',
    'compared',
    'equal',
    'listed differences',
    'other differences',
    'field values read back',
  ];
  detail('Comparisons', columns, counts);
  const all = [...compared.values()].flat();
  const rows = [...documented].map(([name, cells]) => {
    const found = all.filter(({ classes }) => classes.includes(name));
    const body = Buffer.from(found[0]?.given.requests.at(-1)?.body ?? []).toString('latin1');
    return [name, ...cells, found.length, code(body.slice(0, 60))];
  });
  detail(
    `Differences between InfluxDB and ${whom}`,
    ['difference', 'InfluxDB', whom, 'why', 'requests', 'example'],
    rows,
  );
}
