/** The place of a local server's exports is checked before anything is exported. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../../local/cli/ending';
import { FolderObjects } from '../../../local/loader/folder-objects';
import { assertExportsAreFound } from '../../../local/migration/export-place';
import { places, removeObjects } from '../../../local/migration/places';
import { EXPORTS, type Source, servicesOf, startSource } from '../../support/migration';

let source: Source;
beforeAll(async () => {
  source = await startSource();
});
afterAll(() => source.stop());

const placeIn = (exportTo: string) => ({
  exportTo,
  exportUri: `s3://${EXPORTS}/`,
  objects: new FolderObjects({ [EXPORTS]: exportTo }),
  remove: (files: Parameters<typeof removeObjects>[2]) => removeObjects(exportTo, undefined, files),
});
const services = () => servicesOf(source, 'http://127.0.0.1:1');
const filesIn = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'))
    : [];

test('a folder in which the server exports is accepted, and stays empty', async () => {
  const folder = join(source.folder, EXPORTS);
  await assertExportsAreFound(placeIn(folder), 'place-1', services());
  expect(existsSync(join(folder, 'place-1'))).toBe(true);
  expect(filesIn(folder)).toEqual([]);
});

test('another folder is refused, with the option of the server', async () => {
  const checked = assertExportsAreFound(placeIn(join(source.folder, 'elsewhere', EXPORTS)), 'place-2', services());
  await expect(checked).rejects.toThrow(UsageError);
  await expect(checked).rejects.toThrow(/exports to another place\. .*in its --export-dir/);
});

test('an address in S3 that cannot be read here is refused, with its reason', async () => {
  const objects = new FolderObjects({});
  objects.find = () => Promise.reject(new Error('Region is missing'));
  const checked = assertExportsAreFound({ ...placeIn('s3://export-bucket/'), objects }, 'place-3', services());
  await expect(checked).rejects.toThrow(/--export s3:\/\/export-bucket\/: Region is missing\. .*--s3-endpoint/);
});

test.each(['/tmp/my exports', 'out/A', 's3://Bucket/x/', 's3:///x/'])(
  '%s names no bucket, and is refused',
  async (given) => {
    await expect(places(given, undefined)).rejects.toThrow(UsageError);
    await expect(places(given, undefined)).rejects.toThrow(/3 to 63 small letters/);
  },
);

test('a folder below one with a space in its name is accepted', async () => {
  expect(await places('/tmp/my exports/bucket', undefined)).toMatchObject({ exportUri: 's3://bucket/' });
});
