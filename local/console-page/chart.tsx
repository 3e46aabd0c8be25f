/** A line chart over time by uPlot, with a legend that shows and hides series. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { nearestValue, type Pointed, readPointed, TIME_LABELS, timeText, valueAt } from './chart-pointer';
import { onThemeChange } from './theme';

export interface ChartLine {
  readonly name: string;
  /** null where there is no value. */
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  /** Ascending, in seconds since 1970. */
  readonly times: ArrayLike<number>;
  readonly lines: readonly ChartLine[];
  readonly height: number;
  /**
   * `live`: an area above 0 that moves on, in local time. `result`: lines in UTC, as in the table of a result; dragging zooms.
   */
  readonly kind: 'live' | 'result';
}

/** The style sheet has as many colours of series. */
const COLOURS = 8;
const colourClass = (index: number): string => `series-${index % COLOURS}`;
/** Of series that share a colour: lengths of strokes and gaps, px. The style sheet has them for the legend. */
const DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 4]];
const dashOf = (index: number): number => Math.floor(index / COLOURS) % DASHES.length;
/** A series with more values than this has no points, which would hide its line. */
const MAX_POINTS = 60;

export function Chart({ label, times, lines, height, kind }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  /** Drawing the same lines again takes as long as the first time. */
  const drawn = useRef<ChartProps['lines'] | null>(null);
  const [pointed, setPointed] = useState<Pointed>();
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const isLive = kind === 'live';
  const names = lines.map(({ name }) => name).join('\n');
  /** One line needs no legend. */
  const single = lines.length === 1 ? lines[0] : undefined;
  const data = [times, ...lines.map(({ values }) => values)] as uPlot.AlignedData;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const colour = (className: string) => (): string => colourOf(element, className);
    const axis = { stroke: colour('axis'), grid: { stroke: colour('grid'), width: 1 }, ticks: { show: false } };
    const created = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { y: false, drag: { x: !isLive, y: false }, dataIdx: nearestValue },
        hooks: { setCursor: [({ cursor: { idx, idxs } }) => setPointed(readPointed(idx, idxs))] },
        tzDate: (time) => (isLive ? new Date(time * 1_000) : uPlot.tzDate(new Date(time * 1_000), 'Etc/UTC')),
        scales: { y: { range: isLive ? (_, __, max) => [0, Math.max(1, max * 1.1)] : padded } },
        axes: [
          { ...axis, values: TIME_LABELS },
          { ...axis, size: 64 },
        ],
        series: [
          {},
          ...lines.map(({ name }, index) => ({
            label: name,
            stroke: colour(colourClass(index)),
            ...(isLive && { fill: colour(`${colourClass(index)} area`) }),
            width: 1.5,
            spanGaps: true,
            dash: [...(DASHES[dashOf(index)] ?? [])],
            points: { show: (plot: uPlot, at: number) => !isLive && isSparse(plot.data[at] ?? []) },
          })),
        ],
      },
      data,
      element,
    );
    plot.current = created;
    drawn.current = lines;
    const unsubscribe = onThemeChange(() => created.redraw(false, true));
    const resize = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      unsubscribe();
      resize.disconnect();
      created.destroy();
    };
  }, [names, isLive, height]);

  useEffect(() => {
    if (drawn.current !== lines) plot.current?.setData(data);
    drawn.current = lines;
  }, [times, lines]);
  useEffect(() => {
    for (const [index, { name }] of lines.entries()) {
      const show = !hidden.has(name);
      if (plot.current?.series[index + 1]?.show !== show) plot.current?.setSeries(index + 1, { show });
    }
  }, [hidden, names]);

  function toggle(name: string): void {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  }

  return (
    <figure class="chart">
      <div ref={box} role="img" aria-label={label} />
      <p class="muted pointed">
        {pointed === undefined
          ? `Point at the chart for values.${isLive ? '' : ' Drag to zoom, double-click to zoom out.'}`
          : [
              timeText(times[pointed.time] ?? 0, !isLive),
              ...(single ? [valueAt(single.values, pointed.values[0])] : []),
            ].join(': ')}
      </p>
      {single === undefined && (
        <fieldset class="legend">
          <legend class="unseen">Series shown</legend>
          {lines.map(({ name, values }, index) => (
            <label key={name}>
              <input type="checkbox" checked={!hidden.has(name)} onChange={() => toggle(name)} />
              <span class={`swatch ${colourClass(index)} dash-${dashOf(index)}`} />
              {name}
              {pointed !== undefined && <b class="number">{valueAt(values, pointed.values[index])}</b>}
            </label>
          ))}
        </fieldset>
      )}
    </figure>
  );
}

/** A canvas takes no classes, so an element gets the class and is read. */
function colourOf(parent: Element, className: string): string {
  const probe = document.createElement('span');
  probe.className = className;
  parent.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Whether the line has so few values that each is drawn as a point too; a single one has no line. */
export function isSparse(values: ArrayLike<number | null | undefined>): boolean {
  let found = 0;
  for (let index = 0; index < values.length && found <= MAX_POINTS; index++) {
    if (typeof values[index] === 'number') found += 1;
  }
  return found <= MAX_POINTS;
}

/** Room above and below the values; a constant has some too. */
function padded(_: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const room = (max - min) * 0.08 || Math.abs(max) * 0.1 || 1;
  return [min - room, max + room];
}
