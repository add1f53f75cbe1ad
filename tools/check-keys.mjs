/**
 * Only keys.ts spells Redis keys, so that one file shows every key and its hash tag.
 *
 *   node tools/check-keys.mjs [ROOT]
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const SOURCE = /\.(ts|mjs|lua)$/;
const MAY_SPELL_KEYS = /(^|\/)keys\.ts$|\.test\.ts$|\/testing\//;
const COMMENT_LINE = /^\s*(\/\/|\/\*|\*|--)/;
/** The prefix inside a string. A longer word that ends with it, such as `@maru:`, is no key. */
const REDIS_KEY = /['"`]([^'"`]*[^\w:@'"`])?maru:/;

/** @param {{root: string}} options @returns {string[]} each problem begins with `file:line: ` */
export function checkKeys({ root }) {
  const files = readdirSync(path.join(root, 'services'), { recursive: true, encoding: 'utf8' })
    .filter((file) => SOURCE.test(file) && !file.includes('node_modules') && !MAY_SPELL_KEYS.test(file))
    .map((file) => path.posix.join('services', file));
  return files.flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        REDIS_KEY.test(line) && !COMMENT_LINE.test(line)
          ? [`${file}:${index + 1}: only keys.ts spells Redis keys`]
          : [],
      ),
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const problems = checkKeys({ root: path.resolve(process.argv[2] ?? '.') });
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
