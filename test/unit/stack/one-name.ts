/** The names of a function, which follow from one. */
import { type Overrides, propertiesOf } from './template';

/** Expects that the function, its folder, role and log group have the same name. */
export function expectOneName(name: string, parameters: Overrides): void {
  const folder = name
    .replace('InfluxDB', 'Influxdb')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '-')
    .toLowerCase();
  expect(propertiesOf(`${name}Function`, parameters)).toMatchObject({
    CodeUri: `functions/${folder}`,
    Role: `<${name}Role.Arn>`,
    LoggingConfig: { LogGroup: `<${name}LogGroup>` },
  });
  expect(propertiesOf(`${name}LogGroup`, parameters).LogGroupName).toBe(`/aws/lambda/<AWS::StackName>/${folder}`);
}
