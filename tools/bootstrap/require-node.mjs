/**
 * Every program in tools/ imports this first. On an old Node.js it prints one sentence, where the
 * other modules would cause a syntax error. It uses only features of old versions.
 */
export const NODE_MAJOR_MIN = 20;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `Maru needs Node ${NODE_MAJOR_MIN} or newer to start; this is ${process.version} (${process.execPath}).\n`,
  );
  process.exit(1);
}
