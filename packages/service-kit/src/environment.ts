/** Variables whose values stand in files: secrets that are mounted, and what a container knows of itself. */
import { readFileSync } from 'node:fs';
import { ConfigError } from './config.ts';

type Environment = Record<string, string | undefined>;

/** Ours only: other programs' variables may end in the same way. */
const FILE_VARIABLE = /^(MARU_[A-Z0-9_]+)_FILE$/;

/** A secret that was put where its file belongs must not come into a log: only what is plainly a path is shown. */
const shown = (path: string) =>
  path.startsWith('/') ? path : 'not shown, for it does not begin with / and may be the value itself';

/**
 * The environment with every `MARU_X_FILE` replaced by `MARU_X`, whose value is the file's text without the white space around it. Throws one
 * ConfigError that names every file that cannot be read or has nothing in it (a secret that did not come must not pass for one that nobody
 * wants), and every variable that is given both ways.
 */
export function withFileValues(
  environment: Environment,
  readText = (path: string) => readFileSync(path, 'utf8'),
): Environment {
  const values: Environment = { ...environment };
  const problems: string[] = [];
  for (const [variable, path] of Object.entries(environment)) {
    const name = FILE_VARIABLE.exec(variable)?.[1];
    if (name === undefined) continue;
    delete values[variable];
    if (path === undefined || path === '') continue;
    if (environment[name] !== undefined && environment[name] !== '') {
      problems.push(`${name} and ${variable} are both set`);
      continue;
    }
    try {
      const text = readText(path).trim();
      if (text === '') problems.push(`${variable} names an empty file: ${shown(path)}`);
      values[name] = text;
    } catch (error) {
      problems.push(
        `${variable} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}): ${shown(path)}`,
      );
    }
  }
  if (problems.length > 0) throw new ConfigError(`Configuration: ${problems.join('; ')}`);
  return values;
}
