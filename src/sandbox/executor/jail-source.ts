import { randomBytes } from 'node:crypto'
import type { GroupPool } from '../cgroup/group-pool.ts'
import type { ConfiningGroup } from '../cgroup/confining-group.ts'
import { groupBounds, JailGroup } from '../cgroup/jail-group.ts'
import { keeperMeter } from '../oci/keeper-meter.ts'
import { encodeFrame } from '../protocol/frame.ts'
import type { Jail, JailOrder, SandboxEngine } from '../sandbox-engine.ts'
import type { Runtime } from '../sandbox.ts'
import { unsealedKeeperReason, unsealedReason } from './check-sealed.ts'
import { processMeter } from './jail-meter.ts'
import { runnerSetup, threadCeiling } from './runner-setup.ts'
import { startInTime } from './start-in-time.ts'
import { SealedJail, type SealedResult } from './sealed-jail.ts'

/** Where executions get their jails: each sealed, each unused, each handed out once. */
export interface JailSource {
  /** Never rejects; where no jail could be made, the reason. An abort ends the making. */
  take(order: JailOrder, signal?: AbortSignal): Promise<SealedResult>
  /** Kills what waits. Jails that were handed out belong to their executions. */
  close(): Promise<void>
}

/** What every jail is sealed with. */
export interface Sealing {
  /** The filter that the runner adds before it receives code. */
  readonly finalFilters: Readonly<Record<Runtime, Uint8Array>>
  readonly seccompNumber: number
  /** Filters that this process itself is under, and every jail inherits. */
  readonly ownFilters: number
  /** Where each jail gets a cgroup; `null` where there are none. */
  readonly groups: GroupPool | null
}

const nonceBytes = 32
/** A slot that is gone is told of soon; by then each free one may have been tried. */
const mostTries = 20
const retryMs = 2000
/** For the engine; the runner has its own. */
const startTimeoutMs = 30_000

/** Makes a new jail for each execution, when it is asked for. */
export class FreshJails implements JailSource {
  readonly #engine: SandboxEngine
  readonly #sealing: Sealing

  constructor(engine: SandboxEngine, sealing: Sealing) {
    this.#engine = engine
    this.#sealing = sealing
  }

  async take(order: JailOrder, signal?: AbortSignal): Promise<SealedResult> {
    const patienceEndMs = performance.now() + retryMs
    for (let tries = 1; ; tries += 1) {
      const { result, isUnborn } = await this.#make(order, signal)
      if (result.ok || !isUnborn || tries === mostTries) return result
      if (signal?.aborted === true || performance.now() > patienceEndMs) return result
    }
  }

  /** `isUnborn`: what was to make the jail is gone, as a slot that was killed, and another may well make it. */
  async #make(
    order: JailOrder,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly result: SealedResult; readonly isUnborn: boolean }> {
    const { finalFilters, seccompNumber, ownFilters, groups } = this.#sealing
    const nonce = randomBytes(nonceBytes).toString('base64url')
    const isGuest = this.#engine.kernel === 'guest'
    const meter = isGuest ? keeperMeter : processMeter
    const judge = isGuest ? unsealedKeeperReason : unsealedReason
    const setup = runnerSetup(order.runtime, order.limits, seccompNumber, nonce, this.#engine.kernel)
    let group: ConfiningGroup | null
    try {
      group =
        // A keeper runs its guest in processes that it has made by now, and that would not be in its group.
        groups === null || isGuest || this.#engine.bringsGroups === true
          ? null
          : new JailGroup(groups, groupBounds(order, threadCeiling(order.runtime, order.limits)))
    } catch (error) {
      return failed(`it got no cgroup: ${reasonOf(error)}`, false)
    }
    let jail: Jail
    try {
      jail = await startInTime(this.#engine.start(order), startTimeoutMs, signal)
    } catch (error) {
      group?.end()
      return failed(reasonOf(error), this.#engine.bringsGroups === true)
    }
    const result = await SealedJail.make(jail, {
      group: jail.group ?? group,
      setup: encodeFrame(setup, finalFilters[order.runtime]),
      nonce,
      meter,
      unsealedReason: (pid) => judge(meter(pid).facts(), ownFilters),
      ownFilters,
      kernel: this.#engine.kernel,
      ...(signal === undefined ? {} : { signal }),
    })
    const isUnborn = !result.ok && this.#engine.bringsGroups === true && (await jail.pid) === null
    return { result, isUnborn }
  }

  async close(): Promise<void> {
    await this.#engine.close()
  }
}

function failed(why: string, isUnborn: boolean): { readonly result: SealedResult; readonly isUnborn: boolean } {
  return { result: { ok: false, why }, isUnborn }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
