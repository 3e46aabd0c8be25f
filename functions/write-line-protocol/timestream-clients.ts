/** Builds the destination Timestream. The SDK's client is loaded only when a call needs it. */
import type { ConnectorConfig } from 'shared/config';
import type { TableAdministration } from 'shared/timestream/service';
import { TableCreator } from 'shared/timestream/tables';
import { tracer } from 'shared/tracing';
import type { Destination } from './destination';
import { type Connection, environmentConnection, writeRecordsSender } from './timestream-connection';
import { timestreamDestination } from './timestream-destination';
import type { ClockOffset } from './write-call';

export async function buildTimestream(config: ConnectorConfig): Promise<Destination> {
  const { connection, administration } = await connect(config);
  const send = writeRecordsSender(connection, config);
  return timestreamDestination(config, {
    send: (body, signal) => tracer.trace('Timestream WriteRecords', () => send(body, signal)),
    tables: new TableCreator(config.tables, administration),
    check: (signal) => administration.databaseExists(config.tables.database, signal),
  });
}

interface Connected {
  readonly connection: Connection;
  readonly administration: TableAdministration;
}

async function connect(config: ConnectorConfig): Promise<Connected> {
  const connection = environmentConnection(config);
  if (connection !== undefined) return { connection, administration: loadedOnUse(config, connection.clock) };
  const { timestreamClient, sdkConnection, tableAdministration } = await import('./timestream-sdk');
  const client = timestreamClient(config);
  return { connection: sdkConnection(client), administration: tableAdministration(client) };
}

/** Loads the SDK's client when the first table is created or described: writes to existing tables do not need it. */
function loadedOnUse(config: ConnectorConfig, clock: ClockOffset): TableAdministration {
  let loaded: Promise<TableAdministration> | undefined;
  const load = (): Promise<TableAdministration> => {
    loaded ??= import('./timestream-sdk').then(({ administrationWith }) => administrationWith(config, clock));
    return loaded;
  };
  return {
    databaseExists: async (name, signal) => (await load()).databaseExists(name, signal),
    createDatabase: async (request, signal) => (await load()).createDatabase(request, signal),
    createTable: async (request, signal) => (await load()).createTable(request, signal),
  };
}
