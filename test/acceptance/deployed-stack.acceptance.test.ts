/**
 * The stack, deployed by `sam deploy` to an emulator of AWS that runs its functions and its workflow, over the embedded Timestream
 * and a real InfluxDB. The emulator checks signatures, and the permissions of the functions.
 */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { findInfluxd } from '../support/influxd';
import { missingForStack } from '../support/ministack';
import { describeAuthorization } from './deployed/authorization';
import { Deployed } from './deployed/deployed';
import { describeDestinations } from './deployed/destinations';
import { GAPS } from './deployed/gaps';
import { describeMigration } from './deployed/migration';
import { describeRedrive } from './deployed/redrive';
import { describeRoles } from './deployed/roles';
import { describeStacks } from './deployed/stacks';
import { describeWorkflow } from './deployed/workflow';
import { describeProof, detail } from './report';

const ROOT = resolve(__dirname, '../..');
const influxd = findInfluxd();
const noInfluxd = influxd === undefined ? 'no influxd: set INFLUXD to one of version 2.7' : undefined;

describeProof('`sam deploy` to MiniStack', missingForStack(), () => {
  let deployed: Deployed;
  const running = (): Deployed => deployed;

  beforeAll(async () => {
    deployed = await Deployed.start();
  });
  afterAll(() => deployed?.stop());

  describe('and the resources that it then has', () => describeStacks(running));
  describe('and requests of clients', () => describeAuthorization(running));
  describeProof('and a real InfluxDB', noInfluxd, () => {
    describe('writes to InfluxDB', () => describeDestinations(running, influxd ?? ''));
    describe('asynchronous writes and dead-letter messages', () => describeRedrive(running, influxd ?? ''));
    describe('loads of files written by DuckDB', () => describeWorkflow(running, influxd ?? ''));
    describe('migrations from Timestream', () => describeMigration(running, influxd ?? ''));
    describe('the calls of the functions', () => describeRoles(running));
  });
});

describe("this project's other tests", () => {
  test('cover the properties that the emulator does not show', () => {
    const missing = GAPS.flatMap(({ instead }) => instead).filter((file) => !existsSync(join(ROOT, file)));
    expect(missing).toEqual([]);
    detail(
      'Properties that the emulator does not show',
      ['MiniStack', 'tests instead'],
      GAPS.map(({ what, instead }) => [what, instead.map((file) => `[${basename(file)}](../${file})`).join('<br>')]),
    );
  });
});
