import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the clone. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The default data directory of a cluster. Git ignores it. */
export const DEFAULT_DATA_DIR = join(ROOT, '.maru');
