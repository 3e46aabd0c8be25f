/** A whole migration in this process: the embedded Timestream, the bulk load, and a real InfluxDB. */
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import type { LoadServices } from 'shared/loads/load-item';
import type { LoadWindow, ReportOutput } from 'shared/migration/steps';
import type { ParquetReader } from 'shared/parquet/reader';
import { runLoad } from '../../local/loader/workflow';
import { runMigration, type WorkflowServices } from '../../local/migration/workflow';
import type { Influxd } from './influxd';
import { configOf, loadServices, never, planServices } from './loader';
import { type Source, servicesOf, WORK } from './migration';

let loads = 0;

export function migrationServices(
  source: Source,
  influxd: Pick<Influxd, 'url'>,
  reader: ParquetReader,
  change: Partial<WorkflowServices> = {},
  loading: Partial<LoadServices> = {},
): WorkflowServices {
  const services = servicesOf(source, influxd.url, change);
  const load = ({ input }: LoadWindow) => {
    loads += 1;
    const { objects } = services;
    const common = { objects, reader };
    const config = { ...configOf(influxd.url), workBucket: WORK };
    return runLoad(
      `load-${loads}`,
      { ...input, toleratedFailurePercentage: 100, maxConcurrency: 1 },
      {
        plan: planServices(common, { workBucket: WORK, validateSchema: false, mappings: BUILT_IN_MAPPINGS }),
        load: loadServices(common, config, loading),
        check: () => Promise.resolve(),
        signal: never,
      },
    );
  };
  return { ...services, load, check: () => Promise.resolve(), ...change };
}

let migrations = 0;

export async function migrate(input: object, services: WorkflowServices): Promise<ReportOutput> {
  migrations += 1;
  return await runMigration(`migration-${migrations}`, input, services);
}
