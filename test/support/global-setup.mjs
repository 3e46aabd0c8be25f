/** Bundles the Parquet worker, which tests cannot load as TypeScript because it runs in a thread. */
import '../../scripts/require-node.cjs';

import { fileURLToPath } from 'node:url';
import { bundleWorker } from '../../scripts/bundle-worker.mjs';

const setUp = () => bundleWorker(fileURLToPath(new URL('../../.build/parquet-worker.cjs', import.meta.url)));
export default setUp;
