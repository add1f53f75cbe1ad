/**
 * Emits the services, and the packages that they depend on, as JavaScript for images.
 *
 *   node tools/build-services.mjs OUT
 */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emittedExports, emitWorkspaces, listWorkspaces, withDependencies } from './workspaces.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** The program that makes the secrets of docker-compose.yml, and its imports. */
const SECRETS_PROGRAM = ['deploy/docker', 'deploy/postgres', 'deploy/redis'];

/** @param {string} out */
export function buildServices(out) {
  const services = listWorkspaces(ROOT).filter((folder) => folder.startsWith('services/'));
  emitWorkspaces({
    root: ROOT,
    out,
    folders: withDependencies(ROOT, services),
    extra: SECRETS_PROGRAM,
    toManifest: ({ devDependencies: _, ...manifest }) => ({ ...manifest, exports: emittedExports(manifest, '.js') }),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2];
  if (out === undefined) {
    console.error('usage: node tools/build-services.mjs OUT');
    process.exit(2);
  }
  buildServices(resolve(out));
}
