/**
 * Loaded before a program that writes to InfluxDB (`node -r`): writes the time from its first write to the last response, and the CPU time
 * of the program since that first write, to the file named by TIMES. The times come from Node, so they mean the same for any program.
 */
const { subscribe } = require('node:diagnostics_channel');
const { writeFileSync } = require('node:fs');

let first;
let last;
let cpu;
// An empty write is the check before a load.
const isWrite = ({ request }) => request.path.startsWith('/api/v2/write') && request.getHeader('content-length') > 0;

subscribe('http.client.request.start', (event) => {
  if (first !== undefined || !isWrite(event)) return;
  first = performance.now();
  cpu = process.cpuUsage();
});
subscribe('http.client.response.finish', (event) => {
  if (isWrite(event)) last = performance.now();
});
process.on('exit', () => {
  const { user, system } = process.cpuUsage(cpu);
  const times = { seconds: (last - first) / 1000, cpuSeconds: (user + system) / 1e6 };
  writeFileSync(process.env.TIMES, JSON.stringify(times));
});
