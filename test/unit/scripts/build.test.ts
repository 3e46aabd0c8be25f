import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

test('npm run build first reports that the SAM CLI is missing, and how to install it', () => {
  const script = resolve(__dirname, '../../../scripts/require-sam.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8', env: { PATH: '' } });
  expect(stderr).toContain('pip install aws-sam-cli');
  expect(status).toBe(1);
});
