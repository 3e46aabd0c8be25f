/** Checks the statuses that the contract test of paths expects against a real InfluxDB. */
import { describeWithInfluxd, Influxd, STARTING_MS, TOKEN } from '../../support/influxd';
import { PATH_CASES } from '../../support/influxdb-paths';
import { sendTarget } from '../../support/send-target';

describeWithInfluxd('InfluxDB returns', (binary) => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterAll(() => influxd.remove());

  test.each(PATH_CASES.map((each) => [each.influxdb, each.method, each.target, each.headers ?? '', each] as const))(
    '%i to %s %s %j',
    async (status, _method, _target, _headers, given) => {
      const headers = { ...given.headers, Authorization: `Token ${TOKEN}` };
      expect((await sendTarget(influxd.url, { ...given, headers })).status).toBe(status);
    },
  );
});
