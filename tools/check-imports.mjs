/**
 * Who may import whom: runs dependency-cruiser with the rules of .dependency-cruiser.mjs.
 *
 *   node tools/check-imports.mjs [ROOT]
 *
 * We call its API and not its command, because the command warns that it cannot parse with
 * TypeScript 7. It parses with swc.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { cruise } from 'dependency-cruiser';
import config from '../.dependency-cruiser.mjs';

const FOLDERS = ['packages', 'services', 'apps', 'bench', 'loadtest', 'deploy', 'tests', 'tools'];

/** @typedef {import('dependency-cruiser').ICruiseResult} CruiseResult */
/** @typedef {CruiseResult['summary']['violations'][number]} Violation */

/**
 * Checks the tree below `root`.
 * @param {{root: string}} options
 * @returns {Promise<{problems: string[], files: number}>} each problem begins with the name of the
 *   file or folder
 */
export async function checkImports({ root }) {
  const { options, forbidden } = config;
  const folders = FOLDERS.filter((folder) => existsSync(path.join(root, folder)));
  const { output } = await cruise(folders, { ...options, baseDir: root, validate: true, ruleSet: { forbidden } });
  if (typeof output === 'string') throw new Error(output);
  const { violations, totalCruised } = output.summary;
  return { problems: violations.map(describe).sort(), files: totalCruised };
}

/** @param {Violation} violation */
function describe({ from, to, cycle, rule }) {
  const target = cycle === undefined ? to : cycle.map(({ name }) => name).join(' → ');
  const why = config.forbidden.find(({ name }) => name === rule.name)?.comment;
  return `${from} → ${target}: ${rule.name}: ${why}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { problems, files } = await checkImports({ root: path.resolve(process.argv[2] ?? '.') });
  for (const problem of problems) console.error(problem);
  console.log(`${files} files, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
