/**
 * What `npm start`, `npm test` and the other scripts of package.json run first: makes a fresh machine ready, then
 * hands over to the Node that the project brings. Plain JavaScript without dependencies, for Node 20 and later.
 */
import { delimiter, join } from 'node:path'
import { become, findEntry, findNode, root } from '../bin/launch.mjs'
import { ensureDependencies } from './bootstrap/dependencies.mjs'
import { Stop } from './bootstrap/progress.mjs'
import { ensureSystemPackages } from './bootstrap/system-packages.mjs'
import { ensureUserNamespaces } from './bootstrap/user-namespaces.mjs'

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')

/** Each command: what it needs of the distribution, and what Node is then run with. */
const commands = {
  start: { programs: ['bwrap', 'python3'], args: () => [findEntry(), 'up'] },
  test: {
    programs: ['bwrap', 'python3', 'strace', 'pandas', 'crun', 'runc', 'runsc', 'postgres'],
    args: (rest) => [vitest, 'run', ...testKinds(rest)],
  },
  e2e: { programs: ['bwrap', 'python3', 'chromium'], args: () => [vitest, 'run', '--project=e2e'] },
  interop: { programs: ['bwrap', 'python3', 'go', 'sumdb'], args: () => [vitest, 'run', '--project=interop'] },
  run: { programs: ['bwrap', 'python3'], args: () => [] },
  bench: { programs: ['bwrap', 'python3', 'postgres'], args: () => [] },
  check: { programs: [], args: () => [join(root, 'scripts', 'check.ts')] },
  fix: { programs: [], args: () => [join(root, 'scripts', 'fix.ts')] },
  build: { programs: [], args: () => [join(root, 'scripts', 'build.ts')] },
}

/** What concerns the product as it comes, unless the kinds are named. The other kinds have scripts of their own. */
function testKinds(rest) {
  if (rest.some((word) => word.startsWith('--project'))) return []
  return ['unit', 'contract', 'integration', 'attacks', 'alone'].map((kind) => `--project=${kind}`)
}

async function main() {
  const [name = '', ...rest] = process.argv.slice(2)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new Stop(`Say which: ${Object.keys(commands).join(', ')}.`)
  await ensureDependencies()
  if (command.programs.length > 0) {
    await ensureSystemPackages(command.programs)
    await ensureUserNamespaces()
  }
  process.chdir(root)
  const path = [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter)
  become(findNode(), [...command.args(rest), ...rest], { ...process.env, PATH: path })
}

try {
  await main()
} catch (error) {
  if (!(error instanceof Stop)) throw error
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 1
}
