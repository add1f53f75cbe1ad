import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the clone. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where a cluster keeps its data unless it is told otherwise; git ignores it. */
export const DEFAULT_DATA_DIR = join(ROOT, '.maru');
