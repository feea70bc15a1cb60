/** Runs the containment list in jails that contain nothing, and prints the results: the control of the list. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startJailProcess } from '../../src/sandbox/bubblewrap/jail-process.ts'
import { checkContainment } from '../../src/sandbox/containment/check-containment.ts'
import type { ContainmentCheck } from '../../src/sandbox/containment/containment-check.ts'
import { containmentList } from '../../src/sandbox/containment/containment-list.ts'
import { prepare } from '../../src/sandbox/executor/prepare.ts'
import { runSpec } from '../../src/sandbox/executor/run-spec.ts'
import { SealedJail } from '../../src/sandbox/executor/sealed-jail.ts'
import { sandboxConfigSchema, type Sandbox } from '../../src/sandbox/index.ts'
import type { RuntimeLayout } from '../../src/sandbox/layout/runtime-layout.ts'
import { assemble, bpfCode, instruction } from '../../src/sandbox/profile/bpf.ts'
import { jailProfile } from '../../src/sandbox/profile/jail-profile.ts'
import { encodeFrame } from '../../src/sandbox/protocol/frame.ts'
import type { JailOrder, SandboxEngine } from '../../src/sandbox/sandbox-engine.ts'

const allowAll = assemble([instruction(bpfCode.return, 0x7fff0000)])
const { ceilings: _, ...settings } = sandboxConfigSchema.parse({ engine: 'bubblewrap', mode: 'fresh', cgroups: 'off' })
const bunPackage = createRequire(import.meta.url).resolve(
  `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/package.json`,
)
const bunPath = join(dirname(bunPackage), 'bin', 'bun')
const workshop = await prepare({ ...settings, bunPath, nodePath: process.execPath })
/** The siblings' checks need jails that share what they write; the others need jails that can spoil it. */
const areSiblings = process.argv[2] === 'siblings'
const list = containmentList(process.arch).filter(({ id }) => id.startsWith('siblings.') === areSiblings)
const directory = mkdtempSync(join(tmpdir(), 'loosened-'))
const baits = '/tmp/'
/** In a tmpfs: the executor counts the files of what is at /tmp. */
const shared = mkdtempSync('/dev/shm/loosened-')
for (const name of ['tmp', 'shm']) mkdirSync(join(shared, name))
const blockDevices = ['/dev/vda', '/dev/sda', '/dev/loop0', '/dev/nvme0n1']
  .filter((path) => existsSync(path))
  .slice(0, 1)

/** A file that tells something, whatever it is read as: numbers, a title, an address. */
const telling = '1234567 12 13 title\n0012345 67 89 x\n'
writeFileSync(join(directory, 'telling'), telling)
writeFileSync(join(directory, 'passwd'), `somebody:x:${String(process.getuid?.())}:1::/:/bin/sh\n`)
writeFileSync(join(directory, 'nsswitch.conf'), 'hosts: files\npasswd: files\n')
writeFileSync(join(directory, 'hosts'), '127.0.0.1 example.com\n')
mkdirSync(join(directory, 'kinds'))
execFileSync('/usr/bin/mkfifo', [join(directory, 'kinds', 'fifo')])

/** Paths that checks look for or read, so that in this jail they are there. */
function paths(runtime: ContainmentCheck['runtime'], ...operations: readonly string[]): string[] {
  const found = list
    .filter((check) => check.runtime === runtime && operations.includes(String(check.probe?.[0])))
    .map((check) => String(check.probe?.[1]))
  return [...new Set(found)].filter((path) => path.startsWith('/') && !path.includes('$') && !path.startsWith('/tmp'))
}

function outermostFirst(names: readonly string[]): string[] {
  return names.toSorted((a, b) => a.length - b.length)
}

/** Everything is there and may be written; nothing is unshared but what bubblewrap cannot do without. */
function loosenedArguments(layout: RuntimeLayout, runtime: 'python' | 'typescript', copy: string): string[] {
  const reading = paths(runtime, 'read', 'write', 'write-text', 'figures', 'addresses', 'lines', 'uptime')
  const inProc = reading.filter(
    (path) =>
      path.startsWith('/proc/') &&
      !path.includes('/root') &&
      !path.includes('/cwd') &&
      (runtime === 'python' || !/^\/proc\/(?:self|net|mounts)/.test(path)),
  )
  const python = runtime === 'python'
  const looked = outermostFirst(paths(runtime, 'stat')).filter((path) => !['/etc/passwd', '/etc/hosts'].includes(path))
  const [, runnerInside] = layout.binds.find(([, inside]) => inside.startsWith('/runner/')) ?? ['', '']
  const swapped = ['/dev/full', '/dev/null', '/dev/full', '/dev/null']
  return [
    '--die-with-parent',
    '--cap-add',
    'ALL',
    '--setenv',
    'LEAKED',
    'x',
    '--setenv',
    'TZ',
    'CET',
    '--setenv',
    'PATH',
    '/x',
    '--setenv',
    'HOME',
    '/x',
    ...layout.binds
      .filter(([, inside]) => !inside.startsWith('/runner/'))
      .flatMap(([host, inside]) => ['--bind', host, inside]),
    '--bind',
    '/usr/bin/setarch',
    '/usr/bin/setarch',
    ...layout.links.flatMap(([target, path]) => ['--symlink', target, path]),
    '--bind',
    copy,
    '/real',
    '--bind',
    directory,
    '/outside',
    '--symlink',
    `/real/runner`,
    runnerInside,
    '--dir',
    '/etc',
    '--dir',
    '/dev/shm',
    '--dir',
    '/run',
    '--dir',
    '/extra',
    '--symlink',
    '/outside/passwd',
    '/etc/passwd',
    '--symlink',
    '/outside/hosts',
    '/etc/hosts',
    '--symlink',
    '/outside/nsswitch.conf',
    '/etc/nsswitch.conf',
    '--dir',
    join(dirname(dirname(import.meta.dirname)), 'src', 'sandbox'),
    ...blockDevices.flatMap((device) => ['--dev-bind', device, '/extra/block']),
    ...(areSiblings ? ['--bind', join(shared, 'tmp'), '/tmp', '--bind', join(shared, 'shm'), '/dev/shm'] : []),
    '--symlink',
    '/real/runner',
    '/runner/zz-extra',
    '--dir',
    '/usr/bin/extra',
    '--dir',
    '/usr/share/extra',
    ...(python
      ? [
          '--dir',
          '/proc/1',
          '--symlink',
          '/',
          '/proc/1/root',
          ...inProc.flatMap((path) => ['--symlink', '/outside/telling', path]),
        ]
      : [
          '--dev-bind',
          '/proc',
          '/proc',
          ...inProc.filter((path) => existsSync(path)).flatMap((path) => ['--bind', join(directory, 'telling'), path]),
        ]),
    ...looked.flatMap((path) => (path.startsWith('/proc') ? [] : ['--dir', path])),
    ...jailProfile.devices.flatMap((device, index) => [
      '--dev-bind',
      python ? (swapped[index] ?? device) : device,
      device,
    ]),
    '--dev-bind',
    '/dev/null',
    '/extra/device',
    '--dir',
    '/fn/extra',
    ...(areSiblings ? [] : ['--dir', '/tmp/extra']),
    ...readdirSync('/tmp')
      .filter((name) => name.startsWith('containment-'))
      .flatMap((name) => ['--bind-try', baits + name, baits + name]),
    '--chdir',
    jailProfile.workingDirectory,
    '--seccomp',
    '4',
    '--json-status-fd',
    '5',
    '--',
    ...(python ? ['/usr/bin/setarch', '-R'] : []),
    ...layout.command,
  ]
}

let made = 0
const engine: SandboxEngine = {
  ...workshop.engine,
  name: 'loosened',
  kernel: 'guest',
  probe: async () => await Promise.resolve({ ok: true, version: '' }),
  profile: (runtime) => workshop.engine.profile(runtime),
  close: async () => await Promise.resolve(),
  start(order: JailOrder) {
    const layout = workshop.layouts[order.runtime]
    const [runner] = layout.binds.find(([, inside]) => inside.startsWith('/runner/')) ?? ['']
    made += 1
    const copy = join(directory, areSiblings ? `jail-${order.runtime}` : `jail-${String(made)}`)
    if (!existsSync(copy)) {
      mkdirSync(copy)
      copyFileSync(runner, join(copy, 'runner'))
      chmodSync(join(copy, 'runner'), 0o666)
    }
    return startJailProcess(settings.bubblewrapPath, loosenedArguments(layout, order.runtime, copy), allowAll)
  },
}

/** No limit at all is set by the runner. */
const jails = {
  async take(order: JailOrder, signal?: AbortSignal) {
    const dataBytes = order.runtime === 'python' ? -1 : 2 ** 50
    const setup = { limits: [], dataBytes, seccompNumber: workshop.seccompNumber, nonce: 'nonce' }
    return await SealedJail.make(await engine.start(order), {
      group: null,
      setup: encodeFrame(setup, allowAll),
      nonce: 'nonce',
      unsealedReason: () => null,
      ...(signal === undefined ? {} : { signal }),
    })
  },
  close: async () => await Promise.resolve(),
}

const huge = 2 ** 40
const limits = {
  wallMs: 10_000,
  cpuMs: 60_000,
  memoryBytes: huge,
  processes: 4000,
  openFiles: 60_000,
  scratchBytes: 2 ** 30,
  resultBytes: 2 ** 24,
  outputBytes: 2 ** 24,
  innerCalls: 0,
}
const sandbox: Pick<Sandbox, 'run' | 'close'> = {
  run: async (spec, events = {}) => await runSpec({ ...workshop, engine, jails }, { ...spec, limits }, events),
  close: async () => await workshop.jails.close(),
}
const results = await checkContainment(sandbox, list, {
  engine: 'loosened',
  mode: 'fresh',
  kernel: 'host',
  noCgroups: null,
})
for (const path of [directory, shared]) rmSync(path, { recursive: true, force: true })
process.stdout.write(JSON.stringify(results))
