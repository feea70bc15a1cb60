import type { ICruiseOptions, IForbiddenRuleType } from 'dependency-cruiser'

/**
 * The import boundaries of design/architecture.md, as errors.
 *
 * `folders` is the table of that page ("may import"); scripts/lint/boundaries.test.ts fails when the two differ.
 * Every name on the right means that folder's index.ts and nothing else in it.
 */
export const folders: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  contract: [],
  policy: ['kernel'],
  audit: ['kernel'],
  flow: ['kernel'],
  approvals: ['kernel'],
  egress: ['kernel'],
  auth: ['kernel', 'egress'],
  exporters: ['kernel', 'audit', 'egress'],
  sandbox: ['kernel'],
  supply: ['kernel', 'egress', 'sandbox'],
  functions: ['kernel', 'sandbox'],
  upstream: ['kernel', 'egress', 'sandbox', 'supply'],
  gateway: ['kernel', 'policy', 'audit', 'flow', 'auth', 'functions', 'upstream', 'egress', 'approvals'],
  scan: ['kernel', 'egress'],
  publishing: ['kernel', 'audit', 'egress'],
  storage: ['kernel', 'audit'],
  http: ['kernel', 'contract', 'gateway', 'auth', 'approvals', 'policy', 'audit', 'functions', 'upstream'],
  config: ['kernel'],
  app: [
    'kernel',
    'contract',
    'policy',
    'audit',
    'flow',
    'egress',
    'auth',
    'approvals',
    'exporters',
    'sandbox',
    'supply',
    'functions',
    'upstream',
    'gateway',
    'scan',
    'publishing',
    'storage',
    'http',
    'config',
  ],
  cli: ['app', 'config', 'contract', 'audit', 'scan', 'kernel'],
}

/** The folders of which storage may import types, to implement their ports; values only of those in the table. */
const domainFolders = [
  'policy',
  'audit',
  'flow',
  'egress',
  'auth',
  'approvals',
  'sandbox',
  'supply',
  'functions',
  'upstream',
  'gateway',
]

/** A test file may read fixtures and start what it tests, whatever folder it lies in. */
const tests = '\\.test\\.ts$'

/** What a folder may import besides index.ts files. */
const alsoAllowed: Readonly<Record<string, readonly string[]>> = { config: ['^src/[^/]+/config\\.ts$'] }

function anyOf(names: readonly string[]): string {
  return names.length === 0 ? '(?!)' : `(?:${names.join('|')})`
}

function builtin(...names: readonly string[]): string {
  return `^(?:node:)?${anyOf(names)}(?:/|$)`
}

const folderRules = Object.entries(folders).map(([folder, mayImport]): IForbiddenRuleType => ({
  name: `folder-${folder}`,
  comment: `src/${folder} may import ${mayImport.join(', ') || 'nothing'}, through index.ts.`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [`^src/${folder}/`, `^src/${anyOf(mayImport)}/index\\.ts$`, ...(alsoAllowed[folder] ?? [])],
    ...(folder === 'storage' ? { dependencyTypesNot: ['type-only'] } : {}),
  },
}))

/** The rules, as dependency-cruiser takes them. */
export const boundaryRules: readonly IForbiddenRuleType[] = [
  ...folderRules,
  {
    name: 'storage-types',
    comment: 'src/storage may import types of the domain folders, and values of kernel and audit, through index.ts.',
    severity: 'error',
    from: { path: '^src/storage/' },
    to: {
      path: '^src/',
      pathNot: ['^src/storage/', '^src/kernel/index\\.ts$', `^src/${anyOf(domainFolders)}/index\\.ts$`],
    },
  },
  {
    name: 'no-cycle',
    comment: 'No import cycles.',
    severity: 'error',
    from: { path: '^(?:src|test|scripts)/' },
    to: { circular: true },
  },
  {
    name: 'no-test-from-source',
    comment: 'The product must not import its tests.',
    severity: 'error',
    from: { path: '^(?:src|bin)/', pathNot: tests },
    to: { path: `^test/|${tests}` },
  },
  {
    name: 'child-process-only-in-sandbox',
    comment: 'Only src/sandbox starts processes.',
    severity: 'error',
    from: { path: '^src/', pathNot: ['^src/sandbox/', tests] },
    to: { path: builtin('child_process', 'cluster') },
  },
  {
    name: 'no-node-in-pure-folders',
    comment:
      'policy, flow and kernel do no I/O: no node:* there (kernel/digest.ts and kernel/uuid.ts may hash and draw random bytes).',
    severity: 'error',
    from: { path: '^src/(?:policy|flow|kernel)/', pathNot: ['^src/kernel/(?:digest|uuid)\\.ts$', tests] },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'only-crypto-in-kernel-digest',
    comment: 'kernel/digest.ts and kernel/uuid.ts may use node:crypto and nothing else of Node.',
    severity: 'error',
    from: { path: '^src/kernel/(?:digest|uuid)\\.ts$' },
    to: { dependencyTypes: ['core'], pathNot: builtin('crypto') },
  },
  {
    name: 'no-network',
    comment: 'Sockets only in egress, http, storage and the API client of the CLI.',
    severity: 'error',
    from: {
      path: '^src/',
      pathNot: [
        '^src/(?:egress|http|storage)/',
        '^src/cli/api-client\\.ts$',
        // Wraps the descriptor that the server handed to its executor; it dials nothing.
        '^src/sandbox/executor/main\\.ts$',
        // Listens where a jail must not reach it.
        '^src/sandbox/containment/host-baits\\.ts$',
        // Where the launcher brings jails their connections: a Unix socket.
        '^src/sandbox/launcher/launcher\\.ts$',
        // Makes both ends of a Unix socket, in a directory of its own.
        '^src/sandbox/oci/connected-pair\\.ts$',
        tests,
      ],
    },
    to: {
      path: `${builtin('net', 'http', 'https', 'http2', 'tls', 'dgram', 'dns', 'inspector', 'quic')}|node_modules/undici/`,
    },
  },
  {
    name: 'no-unresolvable',
    comment: 'Every import names something that exists.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-undeclared-package',
    comment: 'The product imports only packages that are dependencies in package.json.',
    severity: 'error',
    from: { path: '^(?:src|bin)/', pathNot: tests },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-peer'] },
  },
]

/** How dependency-cruiser reads the tree: with swc, the one of its parsers that knows TypeScript here. */
export const readOptions: ICruiseOptions = {
  parser: 'swc',
  tsPreCompilationDeps: true,
  doNotFollow: { path: ['node_modules', '^test/'] },
  exclude: { path: ['^dist/', '^test/support/canaries/'] },
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['import', 'node', 'default', 'types'],
    extensions: ['.ts', '.mjs', '.js', '.json'],
  },
}
