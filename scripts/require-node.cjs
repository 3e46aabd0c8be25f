/**
 * Ends the program with a message if Node.js is older than package.json requires. Every program loads this file first. Its syntax
 * works in any Node since version 4.
 */
'use strict';

function numbers(version) {
  return version.match(/\d+/g).map(Number);
}

const needed = require('../package.json').engines.node;
const current = numbers(process.versions.node);
const min = numbers(needed);
const minor = min.length > 1 ? min[1] : 0;

if (current[0] < min[0] || (current[0] === min[0] && current[1] < minor)) {
  const found = `Node.js ${min.join('.')} or newer is required, but this is ${process.version}`;
  // On one line, because an old Node does not accept a comma after the last argument.
  console.error(`${found}: install a newer one from https://nodejs.org, or select it with a version manager.`);
  process.exit(1);
}
