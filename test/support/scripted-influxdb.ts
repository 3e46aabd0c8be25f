/** An InfluxDB whose responses a test scripts. */
import { type Answer, type ReceivedRequest, ScriptedServer } from './scripted-server';

/** The response to a write that is stored. */
export const STORED: Answer = { status: 204 };

export interface ScriptedInfluxDB {
  readonly url: string;
  readonly requests: ReceivedRequest[];
  /** The response to a request; STORED at the start of each test. */
  respond: (request: ReceivedRequest, index: number) => Answer;
}

/** Starts the server for the tests of a file, and clears its requests before each of them. */
export function scriptedInfluxDB(): ScriptedInfluxDB {
  let server: ScriptedServer;
  const influxdb: ScriptedInfluxDB = {
    get url() {
      return server.url;
    },
    get requests() {
      return server.requests;
    },
    respond: () => STORED,
  };
  beforeAll(async () => {
    server = await ScriptedServer.start((request, index) => influxdb.respond(request, index));
  });
  beforeEach(() => {
    server.requests.length = 0;
    influxdb.respond = () => STORED;
  });
  afterAll(() => server.stop());
  return influxdb;
}
