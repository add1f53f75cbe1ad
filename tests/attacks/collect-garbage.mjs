/**
 * NODE_OPTIONS loads it into a service. For each message `memory` it collects garbage, then answers
 * with the memory that is left.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('message', (message) => {
  if (message !== 'memory') return;
  collect();
  // Finalizers run between the two, and free what only they held.
  setImmediate(() => {
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ residentBytes: rss, heapBytes: heapUsed + external });
  });
});
