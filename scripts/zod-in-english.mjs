/** An esbuild plugin that leaves zod's messages in 50 languages out of a bundle: 340 of 600 KB, which each start would parse. English stays. */
import './require-node.cjs';

export const zodInEnglish = {
  name: 'zod-in-english',
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {};' }));
  },
};
