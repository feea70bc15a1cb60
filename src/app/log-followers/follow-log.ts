import type { DecisionLog, LogPositionStore, RecordKind, StoredRecord } from '../../audit/index.ts'

/** Somebody who takes what is in the log, in its order, and each record until it was taken. */
export interface LogFollower {
  /** Names it among the readers of the log. */
  readonly reader: string
  /** The kinds that it looks at; all of them unless told otherwise. */
  readonly kinds?: readonly RecordKind[]
  /** Records that it is given at once, 1-1000; 500 unless told otherwise. */
  readonly recordsAtOnce?: number
  /** Where it begins where it is new: at the log's end unless told otherwise. */
  readonly from?: 'beginning' | 'end'
  /**
   * Takes records, at least one, in the order of the log; what was taken last may come once more after a restart.
   * `closing` asks it to leave what it has not begun. Never rejects.
   */
  readonly take: (records: readonly StoredRecord[], closing: AbortSignal) => Promise<Taken>
  /** Told when taking begins to fail, with why, and when it goes on. */
  readonly onChange: (why: string | null) => void
}

/** How far a follower came with what it was given. */
export interface Taken {
  /** How many of the records it is done with, from the first. Fewer than all without a refusal only when it was closed. */
  readonly done: number
  /** Why it did not take the next one, in a few words for operators, without secrets; `null` where it refused nothing. */
  readonly refused: string | null
  /** Milliseconds that it asks not to be given anything, where it said so. */
  readonly retryAfterMs?: number
}

/** What following stands on. */
export interface FollowPorts {
  readonly decisionLog: Pick<DecisionLog, 'read'>
  readonly positions: LogPositionStore
  /**
   * Milliseconds between two attempts: the first, doubled until the longest, and the first again where something was taken.
   * The longest also bounds what a follower asks for.
   */
  readonly pausesMs: { readonly first: number; readonly longest: number }
  /** Told of what broke on our side. It is tried again. */
  readonly onFailure: (error: unknown) => void
}

/** Where a follower is. */
export interface FollowState {
  /** Id of the last record that it is done with, `''` at the beginning of the log. */
  readonly position: string
  /** Records that it took since it was started. */
  readonly taken: number
  /** Attempts that failed since it was started. */
  readonly refusals: number
  /** Why the last attempt failed, `null` where it did not. */
  readonly failing: string | null
  /** Time of the oldest record that is known to wait for it, in milliseconds since 1970; `null` where none is known. */
  readonly waitingSinceMs: number | null
}

/** A follower at work. */
export interface Following {
  /** There may be something to take. To be called after each record that asks for it is durable, or from time to time. */
  wake(): void
  /**
   * To be called from time to time where `wake` is called for some records only: passes over what was written before the
   * last time, where nothing called `wake` since, so that a log in which nothing asks for the follower is not read for it.
   */
  passOver(): Promise<void>
  state(): FollowState
  close(): Promise<void>
}

/**
 * Follows the log for one follower from where it had come, or from the log's end where it is new. What it has not taken
 * stays where it is, in the log, so that nothing is lost over a restart; what it took last may be given it once more.
 * Where the log does not have the position, it is given nothing, and told so: it would miss records, or get some twice.
 */
export async function followLog(follower: LogFollower, ports: FollowPorts): Promise<Following> {
  const { decisionLog, positions, pausesMs } = ports
  const { reader, kinds, recordsAtOnce = 500, from: beginning = 'end' } = follower
  let position = (await positions.find(reader)) ?? (beginning === 'end' ? await newest() : '')
  await positions.keep(reader, position)
  let keptPosition = position
  const closing = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let isRunning = false
  let isAskedAgain = false
  let pauseMs = 0
  let askedPauseMs = 0
  let retry: NodeJS.Timeout | null = null
  let isWoken = false
  let last: { readonly newest: string; readonly position: string } | null = null
  let taken = 0
  let refusals = 0
  let failing: string | null = null
  let waitingSinceMs: number | null = null

  async function newest(): Promise<string> {
    const [last] = await decisionLog.read({ namespace: null, descending: true, limit: 1 })
    return last?.id ?? ''
  }

  /** Gives what there is. False where the follower did not take something. */
  async function catchUp(): Promise<boolean> {
    for (;;) {
      if (keptPosition !== position) await keep()
      const records = await decisionLog.read({
        namespace: null,
        limit: recordsAtOnce,
        ...(kinds === undefined ? {} : { kinds }),
        ...(position === '' ? {} : { afterId: position }),
      })
      waitingSinceMs = records[0]?.timeMs ?? null
      if (records.length === 0) return true
      const { done, refused, retryAfterMs = 0 } = await follower.take(records, closing.signal)
      const reached = records[done - 1]
      if (reached !== undefined) {
        position = reached.id
        taken += done
        // Who takes something is there: one that refuses now and then would be kept waiting ever longer otherwise.
        pauseMs = 0
        await keep()
      }
      waitingSinceMs = records[done]?.timeMs ?? null
      if (refused !== null) {
        askedPauseMs = retryAfterMs
        noteRefusal(refused)
        return false
      }
      if (closing.signal.aborted || done < records.length) return false
      if (records.length < recordsAtOnce) return true
    }
  }

  /** Where it fails, what was taken is not given again, and the position is kept before anything else is. */
  async function keep(): Promise<void> {
    const here = position
    await positions.keep(reader, here)
    keptPosition = here
  }

  /** Whether the log was put back to a state before the position: what came after it then cannot be known. */
  async function isAstray(): Promise<boolean> {
    const last = await newest()
    if (position === '' || last === position) return false
    return (await decisionLog.read({ namespace: null, afterId: position, limit: 1 })).length === 0
  }

  function noteRefusal(why: string): void {
    refusals += 1
    if (failing === null) follower.onChange(why)
    failing = why
  }

  async function run(): Promise<void> {
    isRunning = true
    let isDone = true
    while (isAskedAgain && isDone && !closing.signal.aborted) {
      isAskedAgain = false
      askedPauseMs = 0
      isDone = await catchUp().catch((error: unknown) => {
        ports.onFailure(error)
        return false
      })
      if (isDone) pauseMs = 0
      if (isDone && failing !== null) {
        failing = null
        follower.onChange(null)
      }
    }
    // In one step with the last look at isAskedAgain: a wake in between would be forgotten.
    isRunning = false
    if (!isDone && !closing.signal.aborted) waitLonger()
  }

  function waitLonger(): void {
    pauseMs = Math.min(Math.max(pausesMs.first, pauseMs * 2), pausesMs.longest)
    retry = setTimeout(
      () => {
        retry = null
        wake()
      },
      Math.max(pauseMs, Math.min(askedPauseMs, pausesMs.longest)),
    )
    retry.unref()
  }

  /** What was durable at the last look has called `wake` long ago, if it calls at all. */
  async function passOver(): Promise<void> {
    if (isLost) return
    const isQuiet = !isWoken && !isRunning && retry === null && !closing.signal.aborted
    if (isQuiet && last !== null && last.position === position && last.newest !== position) {
      position = last.newest
      await keep()
    }
    isWoken = false
    const here = position
    last = { newest: await newest(), position: here }
  }

  function wake(): void {
    isWoken = true
    isAskedAgain = true
    if (isLost || isRunning || retry !== null || closing.signal.aborted) return
    running = run()
  }

  const isLost = await isAstray()
  if (isLost) noteRefusal('its position is not in the log: was an older one put in its place?')

  return {
    wake,
    passOver,
    state: () => ({ position, taken, refusals, failing, waitingSinceMs }),
    async close() {
      closing.abort()
      if (retry !== null) clearTimeout(retry)
      await running
    },
  }
}
