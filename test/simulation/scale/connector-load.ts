/** What requests of equal size ask of the services behind the write endpoint: arithmetic with measured rates, and the limit that ends first. */

export interface Requests {
  readonly perSecond: number;
  /** Lines of the devops workload: 10 tags and 10 fields, of one measurement. */
  readonly lines: number;
  /** LambdaMemorySize, MB. */
  readonly megabytes: number;
}

export interface ConnectorLoad {
  readonly callsPerSecond: number;
  /** Units of 1 KiB that Timestream meters, per second. */
  readonly unitsPerSecond: number;
  readonly milliseconds: number;
  readonly concurrency: number;
  /** Limits that the requests exceed, by how much, the largest first. */
  readonly exceeded: readonly { readonly limit: string; readonly times: number }[];
}

/** Memory with a whole CPU, MB. */
const CPU_MEGABYTES = 1769;
/** CPU time of a request with one line, and of each further line, s: medians of docs/performance.md. */
const REQUEST_SECONDS = 0.0016;
const LINE_SECONDS = 6.64e-6;
/** Assumed: waiting for Timestream, ms; the calls of a request run concurrently. */
const WAIT_MS = 20;
const RECORDS_PER_CALL = 100;
/** Units of a devops record in a call of 100, by `npm run bench -- connector`; a call has at least one. */
const UNITS_PER_RECORD = 0.277;

/** Defaults of the stack and of AWS, per second. */
const LIMITS = {
  stage: 1_200,
  account: 10_000,
  concurrency: 1_000,
  /** Of each unit of concurrency. */
  requestsPerInstance: 10,
};

export function connectorLoad({ perSecond, lines, megabytes }: Requests): ConnectorLoad {
  const calls = Math.ceil(lines / RECORDS_PER_CALL);
  const cpuSeconds = REQUEST_SECONDS + (lines - 1) * LINE_SECONDS;
  const milliseconds = (cpuSeconds / Math.min(1, megabytes / CPU_MEGABYTES)) * 1000 + WAIT_MS;
  const concurrency = (perSecond * milliseconds) / 1000;
  const demands = [
    { limit: 'the stage', times: perSecond / LIMITS.stage },
    { limit: 'API Gateway', times: perSecond / LIMITS.account },
    { limit: "Lambda's concurrency", times: concurrency / LIMITS.concurrency },
    {
      limit: "Lambda's requests per instance",
      times: perSecond / (LIMITS.concurrency * LIMITS.requestsPerInstance),
    },
  ];
  return {
    callsPerSecond: perSecond * calls,
    unitsPerSecond: perSecond * Math.max(calls, lines * UNITS_PER_RECORD),
    milliseconds,
    concurrency,
    exceeded: demands.filter(({ times }) => times > 1).sort((a, b) => b.times - a.times),
  };
}
