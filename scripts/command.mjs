/** Options to start npm or sam. On Windows they are .cmd files, which need a shell; the arguments used here need no quoting. */
import './require-node.cjs';

export const asCommand = { shell: process.platform === 'win32' };
