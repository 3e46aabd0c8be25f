/**
 * Ends the program on a Node.js that is older than package.json asks for, with what to do. Every program loads this first,
 * and any Node since version 4 can read it.
 */
'use strict';

function numbers(version) {
  return version.match(/\d+/g).map(Number);
}

const needed = require('../package.json').engines.node;
const current = numbers(process.versions.node);
const least = numbers(needed);
const minor = least.length > 1 ? least[1] : 0;

if (current[0] < least[0] || (current[0] === least[0] && current[1] < minor)) {
  const found = `Node.js ${least.join('.')} or newer is needed, and this is ${process.version}`;
  // In one line: an old Node takes no comma behind the last argument.
  console.error(`${found}: install a newer one from https://nodejs.org, or select it with a version manager.`);
  process.exit(1);
}
