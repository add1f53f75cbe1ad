/**
 * Reads variables whose values are in files, such as mounted secrets and a container's host name.
 */
import { readFileSync } from 'node:fs';
import { ConfigError } from './config.ts';

type Environment = Record<string, string | undefined>;

/** Only our variables, because those of other programs may also end in `_FILE`. */
const FILE_VARIABLE = /^(MARU_[A-Z0-9_]+)_FILE$/;

/**
 * Shows only absolute paths. Any other value may be the secret itself, which must not be logged.
 */
const shown = (path: string) =>
  path.startsWith('/') ? path : 'not shown, because it does not begin with / and may be the value itself';

/**
 * Replaces every `MARU_X_FILE` by `MARU_X` with the trimmed text of the file. Throws one
 * ConfigError that lists every file that is unreadable or empty, and every variable that is set
 * both ways. An empty file is an error, because a missing secret must not count as unset.
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
