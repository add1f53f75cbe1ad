/**
 * Prints one of the two documents in `docs/api/`:
 *
 *   node packages/protocol/describe/generate.ts asyncapi > docs/api/asyncapi.json
 *   node packages/protocol/describe/generate.ts openapi > docs/api/openapi.json
 *
 * It prints instead of writing files, because this package uses no Node.js modules.
 */
import { describeEvents } from './asyncapi.ts';
import { formatJson } from './format-json.ts';
import { describeHttp } from './openapi.ts';

/** Version of the contract. The major version is the `v1` of the addresses. */
export const CONTRACT_VERSION = '1.0.0';

export const DOCUMENTS = {
  asyncapi: () => formatJson(describeEvents({ version: CONTRACT_VERSION })),
  openapi: () => formatJson(describeHttp({ version: CONTRACT_VERSION })),
} as const;

const isDocument = (name: string | undefined): name is keyof typeof DOCUMENTS =>
  name !== undefined && Object.hasOwn(DOCUMENTS, name);

if (import.meta.main) {
  const [, , name] = process.argv;
  if (isDocument(name)) process.stdout.write(DOCUMENTS[name]());
  else {
    process.stderr.write(`Name one of: ${Object.keys(DOCUMENTS).join(', ')}\n`);
    process.exitCode = 1;
  }
}
