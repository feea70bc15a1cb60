import { spawn, type ChildProcess } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Runtime } from '../../src/sandbox/index.ts'
import type { JailPlan } from '../../src/sandbox/nsjail/jail-plan.ts'
import { engineUnderTest } from '../support/engine-under-test.ts'

/** One jail to be made; it differs from a runner's in what is given. Binds are added. */
export interface PlanOrder {
  readonly runtime?: Runtime
  readonly engine?: 'nsjail' | 'bubblewrap'
  readonly changes?: Partial<JailPlan>
  readonly kill?: 'at-once' | 'when-known'
}

/** How a planned jail ended and what came out of it. */
export interface PlanEnd {
  readonly said: 'ended'
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  readonly channel: string
}

type Said =
  | PlanEnd
  | { readonly said: 'started' }
  | { readonly said: 'killed' }
  | { said: 'pid'; pid: number | null }
  | { said: 'output'; text: string }

const firstId = 2_000_000_000

/** A process that makes jails as an executor does. */
export class PlannedJails {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(settings: object = {}) {
    // An id of their own: an executor that starts elsewhere on the machine ends what looks left behind under its own.
    const ids = { executorUid: firstId + process.pid, executorGid: firstId + process.pid }
    const runner = fileURLToPath(new URL('./plan-runner.ts', import.meta.url))
    this.child = spawn(
      process.execPath,
      [runner, JSON.stringify({ ...engineUnderTest, cgroups: 'off', ...ids, ...settings })],
      {
        env: {},
        cwd: '/',
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    if (this.child.stdout === null) throw new Error('no stdout')
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
  }

  order(order: PlanOrder | 'kill the last'): void {
    this.child.stdin?.write(`${JSON.stringify(order)}\n`)
  }

  /** The next thing that happened. */
  async next(): Promise<Said> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the process that makes jails ended')
    return JSON.parse(value) as Said
  }

  /** Makes one jail and waits for its end. Not for use while another is there. */
  async run(order: PlanOrder): Promise<PlanEnd> {
    this.order(order)
    for (;;) {
      const said = await this.next()
      if (said.said === 'ended') return said
    }
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve))
    this.child.stdin?.end()
    if (this.child.exitCode === null && this.child.signalCode === null) await closed
  }
}

/** A Python program as the command of a plan. Only the standard library of the jail is there. */
export function pythonCommand(code: string): readonly string[] {
  return [realpathSync('/usr/bin/python3'), '-I', '-S', '-B', '-c', code]
}
