/**
 * Starting the product with the Node that it was made for. Plain JavaScript without dependencies, because the Node
 * that runs this may be an old one.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The directory that holds package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** The Node major version that the product is made for; an older one cannot run it. */
const wantedMajor = 24

/**
 * The Node to run the product with: the one that this package brings, else the running one if it is new enough.
 *
 * @returns {string | null} null when neither is there
 */
export function findNode() {
  const own = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(own)) return own
  return Number.parseInt(process.versions.node, 10) >= wantedMajor ? process.execPath : null
}

/**
 * The command line's entry: the built one in a release, the TypeScript source in a checkout.
 *
 * @returns {string}
 */
export function findEntry() {
  const source = join(root, 'src', 'cli', 'main.ts')
  return existsSync(source) ? source : join(root, 'dist', 'cli', 'main.js')
}

/**
 * Becomes `file` where this Node can replace its own process; otherwise starts it as a child, passes signals on,
 * waits for it whatever comes, and ends as it ended. Never returns.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export function become(file, args, env = process.env) {
  if (typeof process.execve === 'function') {
    process.removeAllListeners('warning')
    process.on('warning', () => {})
    process.execve(file, [file, ...args], env)
  }
  const child = spawn(file, args, { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; a second one would ask it to give up its orderly stop.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    })
  }
  child.on('error', (error) => {
    process.stderr.write(`${file} cannot be started: ${error.message}\n`)
    process.exit(1)
  })
  child.on('close', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
