/**
 * Loaded into a service through NODE_OPTIONS. For each message `memory`, it collects garbage and
 * then answers with the remaining memory.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('message', (message) => {
  if (message !== 'memory') return;
  collect();
  // Finalizers run between the two collections, and free objects that only they referenced.
  setImmediate(() => {
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ residentBytes: rss, heapBytes: heapUsed + external });
  });
});
