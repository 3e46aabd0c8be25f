/** Connects the console to the local server: what it records, what it queries, and what it serves. */

import { join } from 'node:path';
import type { ConnectorConfig } from 'shared/config';
import type { ConnectorMetrics } from 'shared/connector-metrics';
import { ApiError } from '../../functions/write-line-protocol/api-error';
import type { ConnectorOptions } from '../connector/server';
import { runsFolder } from '../runs/folder';
import type { RunningTimestream } from '../timestream/server';
import { createConsole } from './console';
import { DataReader } from './data';
import type { Verify } from './guard';
import { PrometheusMetrics } from './prometheus';
import { Recorder } from './recorder';
import { SqlRunner } from './sql';

export interface ConsoleOptions {
  readonly config: ConnectorConfig;
  readonly host: string;
  readonly verify: Verify | undefined;
  /** The embedded Timestream; undefined for Amazon Timestream. */
  readonly timestream: Pick<RunningTimestream, 'url' | 'tableSizes'> | undefined;
  readonly log: (line: string) => void;
  /** Of the page's files and of the runs; by default those of the program and of the user. */
  readonly folders: { readonly assets: string; readonly runs: string } | undefined;
}

export interface OpenConsole extends Required<Pick<ConnectorOptions, 'console' | 'onWrite'>> {
  /** Receives the totals of each write from the write function. */
  readonly metrics: ConnectorMetrics;
}

export function openConsole(options: ConsoleOptions): OpenConsole {
  const { config, timestream, folders, ...rest } = options;
  const recorder = new Recorder();
  const { destination, influxdb } = config;
  const metrics = new PrometheusMetrics(destination === 'both' ? ['timestream', 'influxdb'] : [destination]);
  const influxdbUrl = influxdb?.target.url ?? null;
  const hasTimestream = destination !== 'influxdb';
  const connect = async () => {
    if (!hasTimestream)
      throw new ApiError(400, 'invalid', `the points are in InfluxDB at ${influxdbUrl}: query them there`);
    const { queryService } = await import('../query/service');
    return await queryService(timestream?.url, timestream === undefined ? config.region : undefined);
  };
  const sql = new SqlRunner({ connect, database: config.tables.database });
  const serve = createConsole({
    ...rest,
    config,
    recorder,
    metrics,
    sql,
    data: new DataReader({ sql, hasTimestream, tableSizes: timestream?.tableSizes }),
    place: { destination, url: hasTimestream ? (timestream?.url ?? null) : influxdbUrl, influxdbUrl },
    // The bundler puts the page beside the program.
    ...(folders ?? { assets: join(__dirname, 'console'), runs: runsFolder() }),
  });
  return {
    console: serve,
    onWrite: (write) => recorder.add(write),
    metrics,
  };
}
