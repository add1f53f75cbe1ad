/**
 * Who may import whom. `npm run check` reads these rules (tools/check-imports.mjs), and so does
 * `npx depcruise`.
 *
 *   apps → client → protocol ← services → service-kit, redis-store, presence-api
 *
 * A rule is seen failing in tests/tools/check-imports.test.ts.
 */

/** Tests and their helpers. They may join parts that must not know each other in production. */
const TEST = '[.]test[.][a-z]+$|^tests/|/(test|testing|test-support)/';
/** These tests join the insides of several services. */
const JOINS_SERVICES = '^tests/(integration|attacks|kube)/';
const SOCKET_IO = '^node_modules/(socket[.]io|engine[.]io|@socket[.]io/|ws/)';
const UNITS = '^(packages|services|apps)/[^/]+/|^(bench|deploy|loadtest|tests|tools)/';

/**
 * A unit imports only the other units that are listed.
 * @param {string} unit a path from the root, or a pattern of paths
 * @param {string[]} others paths from the root
 * @param {{name?: string, tests?: boolean}} [options] `tests`: the rule is for the unit's tests,
 *   instead of its other files
 * @returns {import('dependency-cruiser').IForbiddenRuleType}
 */
function imports(unit, others, { name = unit.replace('/', '-'), tests = false } = {}) {
  return {
    name: `${name}-imports`,
    comment: `${unit} imports only ${others.length === 0 ? 'its own files' : others.join(', ')}`,
    severity: 'error',
    from: { path: `^(${unit})/`, pathNot: tests ? JOINS_SERVICES : TEST },
    // `$1` is the importing unit, also where `unit` is a pattern.
    to: { path: UNITS, pathNot: ['$1', ...others].map((path) => `^${path}/`) },
  };
}

const PROTOCOL = 'packages/protocol';
const CLIENT = 'packages/client';
const TESTKIT = 'packages/testkit';
const SERVICE_KIT = 'packages/service-kit';
const REDIS_STORE = 'packages/redis-store';
const PRESENCE_API = 'packages/presence-api';
const ARCHIVE_DB = 'packages/archive-db';
const SEARCH_TEXT = 'packages/search-text';

/** @satisfies {import('dependency-cruiser').IConfiguration} */
const config = {
  forbidden: /** @satisfies {import('dependency-cruiser').IForbiddenRuleType[]} */ ([
    imports(PROTOCOL, []),
    imports(SERVICE_KIT, []),
    imports(REDIS_STORE, [SERVICE_KIT]),
    imports(PRESENCE_API, [PROTOCOL]),
    imports(SEARCH_TEXT, []),
    imports(ARCHIVE_DB, [PROTOCOL, SERVICE_KIT, SEARCH_TEXT]),
    imports(CLIENT, [PROTOCOL]),
    imports(TESTKIT, [PROTOCOL, CLIENT, SERVICE_KIT]),
    imports('apps/[^/]+', [CLIENT, PROTOCOL], { name: 'apps' }),
    imports('services/[^/]+', [PROTOCOL, SERVICE_KIT, REDIS_STORE, PRESENCE_API, ARCHIVE_DB, SEARCH_TEXT], {
      name: 'services',
    }),
    imports('tools', [SERVICE_KIT, REDIS_STORE, 'deploy']),
    imports('deploy', [SERVICE_KIT, REDIS_STORE, 'tools/supervisor']),
    imports('loadtest', [PROTOCOL, TESTKIT]),
    imports('bench', [PROTOCOL, TESTKIT, SERVICE_KIT, ARCHIVE_DB, SEARCH_TEXT]),
    imports('tests', [PROTOCOL, CLIENT, TESTKIT, SERVICE_KIT, REDIS_STORE, ARCHIVE_DB, 'tools', 'deploy'], {
      tests: true,
    }),
    {
      name: 'by-package-name',
      comment: 'A unit imports a package, service or app by its name, so that `exports` says what is public.',
      severity: 'error',
      from: { path: '^((packages|services|apps)/[^/]+|bench|deploy|tools)/' },
      to: { path: '^(packages|services|apps)/', pathNot: '^$1/', dependencyTypesNot: ['aliased-workspace'] },
    },
    {
      name: 'by-package-name-or-kit-path',
      comment: 'k6 resolves no package names: scenarios import the codec, client and checker of testkit by path.',
      severity: 'error',
      from: { path: '^loadtest/' },
      to: {
        path: '^(packages|services|apps)/',
        pathNot: '^packages/testkit/src/(codec|client|checker|view)/',
        dependencyTypesNot: ['aliased-workspace'],
      },
    },
    {
      name: 'kit-runs-in-k6',
      comment: 'k6 has no Node.js modules and no packages: codec, client, checker and view import types only.',
      severity: 'error',
      from: { path: '^packages/testkit/src/(codec|client|checker|view)/', pathNot: TEST },
      to: { pathNot: '^packages/testkit/src/(codec|client|checker|view)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'runs-in-browsers',
      comment: 'protocol and client run in browsers, which have no Node.js modules.',
      severity: 'error',
      from: { path: '^packages/(protocol|client)/', pathNot: `${TEST}|^packages/protocol/describe/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'protocol-uses-zod-only',
      comment: 'Every client carries protocol: it brings no library but zod.',
      severity: 'error',
      from: { path: '^packages/protocol/', pathNot: TEST },
      to: { path: '^node_modules/', pathNot: '^node_modules/zod/' },
    },
    {
      name: 'socket-io-in-edge-only',
      comment: 'Only edge/ knows Socket.IO, Engine.IO and ws. The rest of the gateway knows edge/connection.ts.',
      severity: 'error',
      from: { path: '^services/gateway/src/', pathNot: `^services/gateway/src/edge/|${TEST}` },
      to: { path: SOCKET_IO },
    },
    {
      name: 'no-file-cycle',
      comment: 'Files that import each other cannot be read, tested or loaded one after the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-folder-circle',
      comment: 'Folders of the gateway form layers. A circle of folders means that one of them has two jobs.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^services/gateway/src/' },
      to: { circular: true },
    },
    {
      name: 'declared',
      comment: 'The nearest package.json, or the root, declares what a file imports.',
      severity: 'error',
      from: { pathNot: JOINS_SERVICES },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'declared-for-production',
      comment: 'The production image has no devDependencies.',
      severity: 'error',
      from: { path: '^(packages|services|apps)/', pathNot: `${TEST}|^packages/testkit/` },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    {
      name: 'resolvable',
      comment: 'an import leads to a file or to an installed package',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ]),
  options: {
    // TypeScript 7 has no parser API yet; swc reads TypeScript 6 and 7 alike.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage)/' },
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};

export default config;
