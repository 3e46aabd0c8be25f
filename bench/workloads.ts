/** Seeded line protocol for the benchmarks: the same seed gives the same bytes. */

export interface Workload {
  readonly name: string;
  /** The lines of request `index`, without a newline at the end. */
  request(index: number, lines: number): string;
}

const START = 1_760_000_000n * 1_000_000_000n;

/** Pseudo-random numbers in [0, 1) from a 32-bit state. Source: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(next: () => number, list: readonly T[]): T {
  return list[Math.floor(next() * list.length)] as T;
}

/** 100 hosts with 10 tags each, 10 integer fields, a point per host every 10 s: a small version of TSBS's cpu-only. */
function devops(): Workload {
  const next = random(42);
  const fields = ['user', 'system', 'idle', 'nice', 'iowait', 'irq', 'softirq', 'steal', 'guest', 'guest_nice'];
  const hosts = Array.from({ length: 100 }, (_, host) => {
    const region = pick(next, ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-1', 'sa-east-1']);
    return (
      `cpu,hostname=host_${host},region=${region},datacenter=${region}${pick(next, ['a', 'b', 'c'])},rack=${Math.floor(next() * 100)},` +
      `os=${pick(next, ['Ubuntu16.10', 'Ubuntu16.04LTS', 'Ubuntu15.10'])},arch=${pick(next, ['x64', 'x86'])},` +
      `team=${pick(next, ['SF', 'NYC', 'LON', 'CHI'])},service=${Math.floor(next() * 20)},` +
      `service_version=${Math.floor(next() * 2)},service_environment=${pick(next, ['production', 'staging', 'test'])}`
    );
  });
  return {
    name: 'devops',
    request: (index, lines) =>
      Array.from({ length: lines }, (_, line) => {
        const point = index * lines + line;
        const values = fields.map((field) => `usage_${field}=${Math.floor(next() * 100)}i`).join();
        return `${hosts[point % hosts.length]} ${values} ${START + BigInt(Math.floor(point / hosts.length)) * 10_000_000_000n}`;
      }).join('\n'),
  };
}

/** 1,000 series with one tag and one float. */
function narrow(): Workload {
  const next = random(43);
  return {
    name: 'narrow',
    request: (index, lines) =>
      Array.from({ length: lines }, (_, line) => {
        const point = index * lines + line;
        const device = String(point % 1000).padStart(4, '0');
        const time = START + BigInt(Math.floor(point / 1000)) * 1_000_000_000n + BigInt(point % 1000) * 1000n;
        return `temperature,device=dev_${device} value=${(next() * 60 - 20).toFixed(4)} ${time}`;
      }).join('\n'),
  };
}

/** Strings, escapes, all types, four measurements, and almost as many series as lines. */
function escapes(): Workload {
  const next = random(44);
  const rooms = ['Living\\ Room', 'Kitchen\\,\\ 2nd\\ floor', 'Garage\\=North', 'Öffice', 'hall'];
  const messages = [
    'door \\"front\\" opened',
    'temp ok, humidity=45 %',
    'path C:\\\\logs\\\\app.log',
    'état: prêt',
    '',
  ];
  return {
    name: 'escapes',
    request: (index, lines) =>
      Array.from({ length: lines }, (_, line) => {
        const tags = `room=${pick(next, rooms)},sensor\\ id=s${Math.floor(next() * 500)},level=${pick(next, ['info', 'warn', 'err'])}`;
        const fields =
          `msg="${pick(next, messages)}",active=${pick(next, ['t', 'True', 'FALSE', 'f'])},` +
          `count=${Math.floor(next() * 1e12) - 5e11}i,total=${Math.floor(next() * 1e15)}u,ratio=${(next() * 2 - 1).toFixed(6)}` +
          (next() < 0.3 ? `,battery\\ level=${(next() * 100).toFixed(2)}` : '');
        const measurement = pick(next, ['events', 'door_state', 'app.log', 'meter-readings']);
        return `${measurement},${tags} ${fields} ${START + BigInt(index * lines + line) * 20_000_000n}`;
      }).join('\n'),
  };
}

export const WORKLOADS: readonly Workload[] = [devops(), narrow(), escapes()];

/** @throws Error if there is no workload with this name */
export function workload(name: string): Workload {
  const found = WORKLOADS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`unknown workload '${name}'`);
  return found;
}
