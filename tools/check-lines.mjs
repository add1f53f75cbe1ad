/**
 * Comment lines have at most 100 columns, lines of Markdown at most 140. Biome formats neither.
 *
 *   node tools/check-lines.mjs [ROOT]
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', 'coverage']);
/** Programs write the reports in this folder. */
const REPORTS = 'docs/measurements/';
/** An address, a type, an order to Biome and a command cannot be broken. */
const UNBREAKABLE = /https?:|@(param|type|typedef|property)\b|biome-ignore|^\s*\*\s+(MARU_\w+=|node |npm )/;

/** @typedef {{files: RegExp, columnsMax: number, isChecked: (line: string) => boolean}} Rule */
/** @type {Rule[]} */
const RULES = [
  {
    files: /\.(ts|tsx|mjs)$/,
    columnsMax: 100,
    isChecked: (line) => /^\s*(\/\/|\/\*|\* )/.test(line) && !UNBREAKABLE.test(line),
  },
  { files: /\.lua$/, columnsMax: 100, isChecked: (line) => /^\s*--/.test(line) },
  // Rows of tables and links cannot be broken either.
  { files: /\.md$/, columnsMax: 140, isChecked: (line) => !/^\s*\||https?:|\]\(/.test(line) },
];

/** @param {string} root @returns {string[]} */
function listFiles(root) {
  /** @param {string} folder @returns {string[]} */
  const walk = (folder) =>
    readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      if (entry.name.startsWith('.') || SKIPPED_FOLDERS.has(entry.name)) return [];
      const name = path.posix.join(folder, entry.name);
      return entry.isDirectory() ? walk(name) : [name];
    });
  return walk('').filter((file) => !file.startsWith(REPORTS));
}

/** @param {string} text @param {Rule} rule @returns {Array<{at: number, columns: number}>} */
function longLines(text, { columnsMax, isChecked }) {
  let isCode = false;
  return text.split('\n').flatMap((line, index) => {
    // Markdown shows what is between two fences as it is.
    if (line.startsWith('```')) isCode = !isCode;
    const columns = [...line].length;
    return columns > columnsMax && !isCode && isChecked(line) ? [{ at: index + 1, columns }] : [];
  });
}

/** @param {{root: string}} options @returns {string[]} each problem begins with `file:line: ` */
export function checkLines({ root }) {
  return listFiles(root).flatMap((file) => {
    const rule = RULES.find(({ files }) => files.test(file));
    if (rule === undefined) return [];
    return longLines(readFileSync(path.join(root, file), 'utf8'), rule).map(
      ({ at, columns }) => `${file}:${at}: ${columns} columns, more than ${rule.columnsMax}`,
    );
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const problems = checkLines({ root: path.resolve(process.argv[2] ?? '.') });
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
