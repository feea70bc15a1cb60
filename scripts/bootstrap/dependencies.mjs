import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../bin/launch.mjs'
import { progress, run, Stop } from './progress.mjs'

const modules = join(root, 'node_modules')
const stamp = join(modules, '.mcpworks-lock')

/**
 * Makes node_modules what package-lock.json says, with `npm ci` if it is not.
 *
 * Not checked: that the files of an installed package are still those that were installed.
 *
 * @throws {Stop} on an unsupported platform, or when npm fails
 */
export async function ensureDependencies() {
  const platform = `${process.platform}-${process.arch}`
  if (platform !== 'linux-x64' && platform !== 'linux-arm64') {
    throw new Stop(
      `MCPWorks runs on Linux (x64 or arm64), because its sandbox is made of Linux namespaces. This is ${platform}: use a Linux virtual machine.`,
    )
  }
  const lock = readFileSync(join(root, 'package-lock.json'))
  const wanted = `${createHash('sha256').update(lock).digest('hex')} ${platform}\n`
  if (readIfThere(stamp) === wanted && existsSync(nodeOf(platform))) return
  if (!isInstalled(JSON.parse(lock.toString('utf8')), platform)) {
    await progress('Installing the packages of package-lock.json (npm ci)', installPackages)
    if (!existsSync(nodeOf(platform))) {
      throw new Stop('npm ci did not install the Node that this project brings. Type: npm ci --include=optional')
    }
  }
  linkOwnCommand()
  writeFileSync(stamp, wanted)
}

function nodeOf(platform) {
  return join(modules, `node-${platform}`, 'bin', 'node')
}

async function installPackages() {
  // npm would empty the directory that the link leads to, and others may be using it.
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Stop(
      `${modules} is a link, and what it leads to is not what package-lock.json says. Type: npm ci there, or remove the link.`,
    )
  }
  const args = ['ci', '--include=dev', '--include=optional', '--ignore-scripts', '--loglevel=error']
  const npm = process.env['npm_execpath']
  const isJavaScript = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm)
  const result = isJavaScript
    ? await run(process.execPath, [npm, ...args], { cwd: root })
    : await run('npm', args, { cwd: root })
  if (!result.ok) {
    throw new Stop(
      `npm ci failed. It said:\n${result.output.trim()}\nWhen that is mended, type the same command again.`,
    )
  }
}

/** Compares with the lock file that npm leaves in node_modules, so that a tree made by `npm install` counts as well. */
function isInstalled(lock, platform) {
  const text = readIfThere(join(modules, '.package-lock.json'))
  if (text === null || !existsSync(nodeOf(platform))) return false
  const installed = JSON.parse(text).packages ?? {}
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed[path]
    // A package for another platform is optional and absent.
    if (found === undefined) return wanted.optional === true
    return found.version === wanted.version && found.integrity === wanted.integrity
  })
}

/** npm links the commands of dependencies, not a checkout's own: with this link `npx mcpworks` is found at once. */
function linkOwnCommand() {
  const link = join(modules, '.bin', 'mcpworks')
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link)
  symlinkSync('../../bin/mcpworks.mjs', link)
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null
}
