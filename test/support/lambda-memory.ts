/** The function in a process with Lambda's memory settings, and the requests that need the most memory. */
import { workload } from '../../bench/workloads';
import { LambdaRuntime } from './lambda-runtime';

/**
 * Starts the bundled function with the heap of a Lambda function of `memory` MB.
 * Source of the percentages: the start script of the Node.js runtime in Lambda's base images.
 */
export function startWithMemory(
  memory: number,
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<LambdaRuntime> {
  const heap = `--max-semi-space-size=${Math.floor(memory * 0.05)} --max-old-space-size=${Math.floor(memory * 0.9)}`;
  return LambdaRuntime.start({
    folder,
    handler: 'handler.handler',
    environment: {
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memory),
      NODE_OPTIONS: `--disable-warning=Warning ${heap}`,
      ...environment,
    },
  });
}

export interface Shape {
  readonly name: string;
  /** The n-th line. */
  readonly line: (n: number) => string;
}

const TIME = 1_709_294_400;
const list = (count: number, part: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => part(n)).join();
const ofWorkload = (name: string): Shape => {
  const lines = workload(name).request(0, 20_000).split('\n');
  return { name, line: (n) => lines[n % lines.length] ?? '' };
};

export const SHAPES: readonly Shape[] = [
  ofWorkload('devops'),
  ofWorkload('narrow'),
  ofWorkload('escapes'),
  {
    name: 'wide: 100 fields',
    line: (n) =>
      `wide,host=h${n % 100} ${list(100, (f) => `field_${f}=${n + f}i`)} ${TIME}${String(n).padStart(9, '0')}`,
  },
  { name: 'one series per line', line: (n) => `m,host=host${n},rack=r${n % 7} v=1 ${TIME}000000000` },
  { name: 'one measurement per line', line: (n) => `measurement${n},t=a v=1 ${TIME}000000000` },
  { name: 'one distinct field per line', line: (n) => `m,t=a field${n}=1 ${TIME}${String(n).padStart(9, '0')}` },
  { name: 'shortest lines', line: () => 'm,t=a v=1' },
  { name: 'one series and time', line: (n) => `m,t=a f${n % 200}=${n}i ${TIME}000000000` },
  {
    name: 'control characters',
    line: (n) => `m,t=a s="${'\u0001'.repeat(1_000)}" ${TIME}${String(n).padStart(9, '0')}`,
  },
  { name: 'invalid lines', line: (n) => `m,t=a v=nonsense${n}` },
];

/** The maximum number of lines of the shape that fit into `bytes` and `lines`. */
export function bodyOf({ line }: Shape, bytes: number, lines: number): Buffer {
  const parts: string[] = [];
  for (let n = 0, size = 0; n < lines; n++) {
    const next = `${line(n)}\n`;
    size += Buffer.byteLength(next);
    if (size > bytes) break;
    parts.push(next);
  }
  return Buffer.from(parts.join(''));
}
