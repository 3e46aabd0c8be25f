/** Bundles what a test cannot load as TypeScript: the Parquet worker, which runs in a thread of its own. */
import '../../scripts/require-node.cjs';

import { fileURLToPath } from 'node:url';
import { bundleWorker } from '../../scripts/bundle-worker.mjs';

const setUp = () => bundleWorker(fileURLToPath(new URL('../../.build/parquet-worker.cjs', import.meta.url)));
export default setUp;
