/**
 * Imported first by every program in tools/, so that an old Node answers with a sentence instead of a syntax error from
 * the modules behind it. Uses nothing that an old Node lacks.
 */
export const NODE_MAJOR_MIN = 20;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `Maru needs Node ${NODE_MAJOR_MIN} or newer to begin with; this is ${process.version} (${process.execPath}).\n`,
  );
  process.exit(1);
}
