/** npm and sam are .cmd files on Windows, which Node starts through a shell only; their arguments here need no quoting. */
import './require-node.cjs';

export const asCommand = { shell: process.platform === 'win32' };
