/**
 * Makes jails by plans as an executor would, as the unprivileged user of one: reads orders from stdin, one JSON object a
 * line, and answers each with lines of JSON. Stays until its stdin ends, or until it is killed.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { prepare } from '../../src/sandbox/executor/prepare.ts'
import { sandboxConfigSchema } from '../../src/sandbox/index.ts'
import { BubblewrapEngine } from '../../src/sandbox/bubblewrap/bubblewrap-engine.ts'
import type { JailPlan } from '../../src/sandbox/nsjail/jail-plan.ts'
import { NsjailEngine } from '../../src/sandbox/nsjail/nsjail-engine.ts'
import { architectures } from '../../src/sandbox/profile/architecture.ts'
import { compileSeccomp } from '../../src/sandbox/profile/compile-seccomp.ts'
import { seccompProfile } from '../../src/sandbox/profile/seccomp-profile.ts'
import type { Jail } from '../../src/sandbox/sandbox-engine.ts'
import type { PlanOrder } from './planned-jails.ts'

const { ceilings: _, ...settings } = sandboxConfigSchema.parse({
  ...(JSON.parse(process.argv[2] ?? '{}') as object),
  mode: 'fresh',
})
const bunPackage = createRequire(import.meta.url).resolve(
  `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/package.json`,
)
const workshop = await prepare({
  ...settings,
  bunPath: join(dirname(bunPackage), 'bin', 'bun'),
  nodePath: process.execPath,
})
const nsjail = workshop.engine
if (!(nsjail instanceof NsjailEngine)) throw new Error(`the engine is ${nsjail.name}`)

const mebibyte = 1024 * 1024
const limits = {
  wallMs: 60_000,
  cpuMs: 60_000,
  memoryBytes: 256 * mebibyte,
  processes: 16,
  openFiles: 64,
  scratchBytes: mebibyte,
  resultBytes: 1000,
  outputBytes: 1000,
  innerCalls: 0,
}

function start({ runtime = 'python', engine = 'nsjail', changes = {} }: PlanOrder): Jail {
  const order = { runtime, codeBytes: mebibyte, scratchBytes: limits.scratchBytes, limits }
  if (!(nsjail instanceof NsjailEngine)) throw new Error(nsjail.name)
  if (engine === 'nsjail') {
    const plan: JailPlan = nsjail.planOf(order)
    return nsjail.startPlan({ ...plan, ...changes, binds: [...plan.binds, ...(changes.binds ?? [])] })
  }
  const architecture = architectures.get(process.arch)
  if (architecture === undefined) throw new Error(process.arch)
  const known = new Set([...architectures.values()].flatMap((each) => [...each.numbers.keys()]))
  const filter = compileSeccomp(seccompProfile, 'start', architecture, known)
  const layout = {
    ...workshop.layouts[runtime],
    ...(changes.command === undefined ? {} : { command: changes.command }),
  }
  const layouts = { python: layout, typescript: layout }
  return new BubblewrapEngine(
    settings.bubblewrapPath,
    layouts,
    { start: filter, zygote: filter },
    workshop.finalFilters,
  ).start(order)
}

const say = (what: object): boolean => process.stdout.write(`${JSON.stringify(what)}\n`)

let last: Jail | null = null
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as PlanOrder | 'kill the last'
  if (order === 'kill the last') {
    last?.kill()
    say({ said: 'killed' })
    continue
  }
  const jail = start(order)
  last = jail
  say({ said: 'started' })
  const texts = { stdout: '', stderr: '', channel: '' }
  for (const name of ['stdout', 'stderr', 'channel'] as const)
    jail[name].on('data', (part: Buffer) => {
      texts[name] += part.toString('latin1')
      if (name === 'stdout') say({ said: 'output', text: part.toString('latin1') })
    })
  if (order.kill === 'at-once') jail.kill()
  void jail.pid.then((pid) => {
    say({ said: 'pid', pid })
    if (order.kill === 'when-known') jail.kill()
  })
  void jail.ended.then(({ exitCode }) => say({ said: 'ended', exitCode, ...texts }))
}
