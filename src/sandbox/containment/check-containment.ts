import { existsSync, readdirSync } from 'node:fs'
import { architectures } from '../profile/architecture.ts'
import type { Runtime, Sandbox } from '../sandbox.ts'
import { askJail, ownFiles, probeLimits, probeSpec, type ReadyProbe } from './ask-jail.ts'
import type { ContainmentCheck, ContainmentResult } from './containment-check.ts'
import type { EngineSetting } from './expected-exceptions.ts'
import { findProcess, longestProcessName, readProc } from './find-process.ts'
import { layBaits, type HostBaits } from './host-baits.ts'
import { filledInArgument, judge, type Answer } from './judge.ts'
import { lookAtJail, stillThere } from './look-at-jail.ts'

type CheckedSandbox = Pick<Sandbox, 'run' | 'close'>

/** How many jails are made at once. The sandbox needs as many places, and holders take three more. */
export const containmentConcurrency = 8
const jailsAtOnce = 4
const holdSeconds = 100
/** Above every number that the kernel gives. */
const noProcess = 4_194_305
/** Checks that need cgroups. */
const ofCgroups = ['limits.cgroup', 'limits.no-cgroup-left'] as const

/**
 * Runs checks on one sandbox, closes it, and judges the answers. Every check gets a result; what could not be asked is open.
 * Takes some seconds: most killed calls need a jail each. Leaves nothing behind but what a check finds left.
 * Does not reject for what hosted code does.
 */
export async function checkContainment(
  sandbox: CheckedSandbox,
  checks: readonly ContainmentCheck[],
  setting: EngineSetting,
): Promise<readonly ContainmentResult[]> {
  const baits = await layBaits()
  try {
    const run = new ContainmentRun(sandbox, checks, setting, baits)
    return await run.results()
  } finally {
    baits.remove()
  }
}

class ContainmentRun {
  readonly #sandbox: CheckedSandbox
  readonly #checks: readonly ContainmentCheck[]
  readonly #setting: EngineSetting
  readonly #baits: HostBaits
  readonly #facts: Map<string, string | number>
  readonly #answers = new Map<string, Answer>()
  readonly #seen: HeldJail[] = []

  constructor(sandbox: CheckedSandbox, checks: readonly ContainmentCheck[], setting: EngineSetting, baits: HostBaits) {
    this.#sandbox = sandbox
    this.#checks = checks
    this.#setting = setting
    this.#baits = baits
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#facts = new Map([
      ...baits.facts,
      ['scratchBytes', probeLimits.scratchBytes],
      ['ownFiles', ownFiles.join(' ')],
      ['typescriptRunner', `/runner/main.${extension}`],
      ['siblingPid', noProcess],
      ['tgkill', architectures.get(process.arch)?.numbers.get('tgkill') ?? -1],
    ])
  }

  async results(): Promise<readonly ContainmentResult[]> {
    await this.#learnLayout()
    await Promise.all([this.#askInside('python'), this.#askInside('typescript'), this.#askAlone()])
    await this.#holdAndLook()
    await this.#lookAfter()
    await this.#sandbox.close()
    this.#lookForRemains()
    if (this.#setting.noCgroups !== null)
      for (const id of ofCgroups) this.#answers.set(id, { notApplicable: this.#setting.noCgroups })
    return this.#checks.map((check) => judge(check, this.#answers.get(check.id), this.#facts, this.#setting))
  }

  /** Where Python is; a wrong answer only makes checks fail. */
  async #learnLayout(): Promise<void> {
    const ask = (operation: string): ReadyProbe => ({ id: operation, operation, arguments: [] })
    const found = await askJail(this.#sandbox, 'python', [ask('interpreter'), ask('library')])
    const python = found.get('interpreter') ?? ''
    this.#facts.set('python', python)
    this.#facts.set('pythonDirectory', python.slice(0, python.lastIndexOf('/')) || '/')
    this.#facts.set('pythonLibrary', found.get('library') ?? '')
  }

  #of(how: ContainmentCheck['how'], runtime?: Runtime): readonly ContainmentCheck[] {
    return this.#checks.filter((check) => check.how === how && (runtime === undefined || check.runtime === runtime))
  }

  #ready(check: ContainmentCheck): ReadyProbe {
    const [operation = '', ...values] = check.probe ?? []
    return { id: check.id, operation, arguments: values.map((value) => filledInArgument(value, this.#facts)) }
  }

  async #ask(runtime: Runtime, checks: readonly ContainmentCheck[]): Promise<void> {
    const found = await askJail(
      this.#sandbox,
      runtime,
      checks.map((check) => this.#ready(check)),
      checks[0]?.limits,
    )
    for (const [id, answer] of found) this.#answers.set(id, answer)
  }

  async #askInside(runtime: Runtime): Promise<void> {
    await this.#ask(runtime, this.#of('inside', runtime))
  }

  async #askAlone(): Promise<void> {
    const waiting = [...this.#of('alone')]
    const work = async (): Promise<void> => {
      for (let check = waiting.shift(); check !== undefined; check = waiting.shift())
        await this.#ask(check.runtime, [check])
    }
    await Promise.all(Array.from({ length: jailsAtOnce }, work))
  }

  /** Holds two Python jails and one on Bun, looks at them, and has a fourth look for the first. */
  async #holdAndLook(): Promise<void> {
    if (this.#of('held').length + this.#of('beside').length === 0) return
    const { mark } = this.#baits
    const secret = `secret-${mark}`
    const jails = await Promise.all([
      this.#hold('python', 'a'),
      this.#hold('python', 'b', secret),
      this.#hold('typescript', 'c'),
    ])
    const [first, second, third] = jails
    try {
      if (first.pid !== null && second.pid !== null && third.pid !== null) {
        this.#facts.set('siblingPid', second.pid)
        this.#learn(lookAtJail({ pid: first.pid, siblingPid: second.pid, runtime: 'python', secretOfSibling: secret }))
        this.#learn(
          lookAtJail({ pid: third.pid, siblingPid: second.pid, runtime: 'typescript', secretOfSibling: secret }),
        )
      } else if (this.#setting.kernel === 'guest')
        for (const { id } of this.#of('held'))
          this.#answers.set(id, {
            notApplicable: "its processes are those of the engine's own kernel, which this one does not see",
          })
      await this.#ask('python', this.#of('beside'))
    } finally {
      for (const { end } of jails) await end()
    }
    this.#seen.push(...jails)
  }

  /** What is still there of the jails that were looked at, and of everything that belonged to the sandbox. */
  #lookForRemains(): void {
    const { mark } = this.#baits
    const pids = this.#seen.flatMap(({ family }) => family)
    const left = [...stillThere(pids), ...this.#seen.flatMap(({ name }) => findProcess(name) ?? [])]
    this.#answers.set('limits.no-process-left', left.join(' ') || 'none')
    const groups = this.#seen.flatMap(({ cgroups }) => cgroups).filter((path) => existsSync(path))
    this.#answers.set('limits.no-cgroup-left', groups.join(' ') || 'none')
    const { file, directory } = this.#baits.look()
    this.#answers.set('files.host-canary-unchanged', file)
    this.#answers.set('files.host-directory-unchanged', directory)
    this.#answers.set('limits.no-file-left', markedFiles(mark))
    const mounts = readProc('/proc/self/mountinfo') ?? mark
    this.#answers.set('limits.no-mount-left', mounts.includes(mark) ? 'a mount' : 'none')
  }

  #learn(found: ReadonlyMap<string, string>): void {
    for (const [id, answer] of found) this.#answers.set(id, answer)
  }

  async #hold(runtime: Runtime, letter: string, secret = ''): Promise<HeldJail> {
    const name = `${letter}-${this.#baits.mark}`.slice(0, longestProcessName)
    const values = runtime === 'python' ? [name, this.#baits.mark, holdSeconds] : [name]
    const abort = new AbortController()
    const isHeld = Promise.withResolvers<undefined>()
    const spec = probeSpec(runtime, [{ id: 'hold', operation: 'hold', arguments: values }], {}, secret)
    const ended = this.#sandbox.run(spec, { signal: abort.signal, onLog: () => isHeld.resolve(undefined) })
    await Promise.race([isHeld.promise, ended])
    const pid = findProcess(name)
    return {
      name,
      pid,
      family: pid === null ? [] : familyOf(pid),
      cgroups: pid === null ? [] : ownCgroups(pid),
      async end() {
        abort.abort()
        await ended
      },
    }
  }

  /** Executions that follow each other, and what the host has kept of them. */
  async #lookAfter(): Promise<void> {
    if (this.#of('after').length === 0) return
    const { mark } = this.#baits
    const probes = ['random', 'hash', 'layout', 'seed'].map((operation) => ({
      id: operation,
      operation,
      arguments: [],
    }))
    const [one, two] = await Promise.all([
      askJail(this.#sandbox, 'python', probes),
      askJail(this.#sandbox, 'python', probes),
    ])
    const differs = (operation: string): string => {
      const [a, b] = [one.get(operation), two.get(operation)]
      return a === undefined || b === undefined || /^\w+: /.test(a) ? 'no answer' : a === b ? 'the same' : 'another'
    }
    this.#answers.set('siblings.random', differs('random'))
    this.#answers.set('siblings.hash-seed', differs('hash'))
    this.#answers.set('siblings.layout', differs('layout'))
    this.#answers.set('siblings.kernel-random', differs('seed'))
    const ask = (id: string, operation: string, ...values: string[]): ReadyProbe => ({
      id,
      operation,
      arguments: values,
    })
    await askJail(this.#sandbox, 'python', [ask('marks', 'leave-marks', mark)])
    this.#learn(
      await askJail(this.#sandbox, 'python', [
        ask('siblings.files-of-earlier', 'search', mark),
        ask('siblings.code-of-earlier', 'code', mark),
        ask('siblings.environment-of-earlier', 'variable', 'LEFT'),
      ]),
    )
    const next = await askJail(this.#sandbox, 'typescript', [ask('next', 'stat', '/tmp')])
    this.#answers.set('limits.next-call', next.get('next') === 'there' ? 'done' : (next.get('next') ?? 'no answer'))
  }
}

interface HeldJail {
  readonly name: string
  readonly pid: number | null
  /** It and the processes above it, up to this one. */
  readonly family: readonly number[]
  /** Directories of its cgroups that are not this process's own. */
  readonly cgroups: readonly string[]
  end(): Promise<void>
}

/** A process and those above it, without this one and what started this one. */
function familyOf(pid: number): number[] {
  const line = readProc(`/proc/${String(pid)}/stat`)
  if (line === null || pid === process.pid || pid <= 1) return []
  const parent = Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[1])
  return [pid, ...familyOf(parent)]
}

function ownCgroups(pid: number): string[] {
  const own = new Set((readProc('/proc/self/cgroup') ?? '').split('\n'))
  const lines = (readProc(`/proc/${String(pid)}/cgroup`) ?? '')
    .split('\n')
    .filter((line) => line !== '' && !own.has(line))
  return lines.map((line) => {
    const [, controllers = '', path = ''] = line.split(':')
    return `/sys/fs/cgroup/${controllers.replace('name=', '')}${path}`
  })
}

/** Paths of the host that hosted code could have left its mark at. */
function markedFiles(mark: string): string {
  const places = ['/', '/tmp', '/var/tmp', '/dev', '/dev/shm', '/run', '/fn']
  const found = places.filter((place) => existsSync(place) && readdirSync(place).includes(mark))
  return found.join(' ') || 'none'
}
