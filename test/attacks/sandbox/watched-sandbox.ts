import { expect } from 'vitest'
import type { Runtime, Sandbox, SandboxLimits, SandboxOutcome } from '../../../src/sandbox/index.ts'
import { subtrees, until } from '../../support/own-groups.ts'
import {
  directoriesOf,
  executors,
  holdingsOf,
  jailsOf,
  processesOf,
  remainsAfter,
  type Holdings,
} from '../../support/sandbox-remains.ts'
import { openSandbox, run } from './hosted-code.ts'

/** Of no other sandbox, so that every process of it is one of this test file. */
const executorUid = 1_991_000_000 + process.pid
/** Executions at once. */
export const concurrency = 4
/** For a function to say that it runs, and for a test to do something to it then, also on a busy machine. */
export const longEnoughMs = 2000
/** A function that returns 1. */
export const honest: Readonly<Record<Runtime, string>> = {
  python: 'def main(_): return 1',
  typescript: 'export const main = () => 1',
}
/** What comes of it. */
export const ok = { status: 'ok', resultJson: '1' }
export const limit = (name: string): object => ({ status: 'limit', limit: name })

/** A sandbox to which something is done, and that is looked at afterwards: by what it held before, and what is left. */
export class WatchedSandbox {
  #sandbox: Sandbox
  #before: Holdings

  private constructor(sandbox: Sandbox, before: Holdings) {
    this.#sandbox = sandbox
    this.#before = before
  }

  /** Starts one and has it make everything that it keeps. */
  static async open(settings: object = {}): Promise<WatchedSandbox> {
    const sandbox = await openSandbox({ executorUid, concurrency, waitingJails: 0, queueLength: 1000, ...settings })
    const kept = {
      python: 'import time\ndef main(_): time.sleep(0.1)',
      typescript: 'export const main = () => Bun.sleep(100)',
    }
    for (const runtime of ['python', 'typescript'] as const)
      await Promise.all(Array.from({ length: concurrency }, async () => await run(sandbox, runtime, kept[runtime])))
    await until(() => jailsOf(executor()).length === 0)
    return new WatchedSandbox(sandbox, holdingsOf(executor()))
  }

  async run(runtime: Runtime, code: string, more: Parameters<typeof run>[3] = {}): Promise<SandboxOutcome> {
    return await run(this.#sandbox, runtime, code, more)
  }

  /** Starts a function that never ends, and answers its process once it runs. */
  async sleeper(
    runtime: Runtime,
    limits: Partial<SandboxLimits> = {},
    signal?: AbortSignal,
  ): Promise<{ pid: number; ends: Promise<SandboxOutcome> }> {
    const known = jailsOf(executor())
    const up = Promise.withResolvers<undefined>()
    const code = {
      python: 'import mcpworks, time\ndef main(_):\n  mcpworks.log("up")\n  time.sleep(1e6)',
      typescript: 'import { log } from "mcpworks"\nexport const main = () => { log("up"); return Bun.sleep(1e9) }',
    }
    const events = { onLog: () => up.resolve(undefined), ...(signal === undefined ? {} : { signal }) }
    const ends = this.run(runtime, code[runtime], { limits, ...events })
    const early = await Promise.race([up.promise, ends])
    const pid = jailsOf(executor()).find((each) => !known.includes(each))
    if (early !== undefined || pid === undefined) throw new Error(`it has ended: ${JSON.stringify(early)}`)
    return { pid, ends }
  }

  /** It may hold so many descriptors more. */
  allowDescriptors(more: number): void {
    this.#before = { ...this.#before, descriptors: this.#before.descriptors + more }
  }

  /** The check that follows every fault: it takes calls again, and nothing is left. */
  async expectNothingLeft(): Promise<void> {
    for (const runtime of ['python', 'typescript'] as const) expect(await this.#worksAgain(runtime)).toMatchObject(ok)
    expect(await remainsAfter(this.#before, executorUid)).toEqual([])
  }

  /** Closes it: nothing at all is left. */
  async closeToNothing(): Promise<void> {
    const gone = executor()
    await this.#sandbox.close()
    await until(() => processesOf(executorUid).length === 0)
    expect(directoriesOf(gone)).toEqual([])
    expect(subtrees()).toEqual([])
  }

  /** Runs honest calls until it takes them again; each refusal on the way is a named one. */
  async #worksAgain(runtime: Runtime): Promise<SandboxOutcome> {
    for (;;) {
      const outcome = await this.run(runtime, honest[runtime])
      if (outcome.status !== 'unavailable') return outcome
      await until(() => this.#sandbox.isReady())
    }
  }
}

/** The process of the only sandbox that is open. */
function executor(): number {
  const [only] = executors()
  if (only === undefined) throw new Error('there is no executor')
  return only
}
