import type { DecisionLog, LogPositionStore } from '../../audit/index.ts'
import { notificationOf, type Notification } from './notification.ts'

/** Somebody who is told of what is in the log, in its order, and each thing until it was taken. */
export interface Follower {
  /** Names it among the readers of the log. */
  readonly reader: string
  /** `null` when it took what it was told, or did not want it; else why it did not. Never rejects. */
  readonly tell: (notification: Notification) => Promise<string | null>
  /** Told when telling begins to fail, with why, and when it goes on. */
  readonly onChange: (why: string | null) => void
}

/** What following stands on. */
export interface FollowPorts {
  readonly decisionLog: Pick<DecisionLog, 'read'>
  readonly positions: LogPositionStore
  /** Milliseconds between two attempts: the first, doubled until the longest. */
  readonly pausesMs: { readonly first: number; readonly longest: number }
  /** Channels that are told of calls that wait for a person. */
  readonly approvalChannels?: readonly string[]
  /** Told of what broke on our side. It is tried again. */
  readonly onFailure: (error: unknown) => void
}

/** A follower at work. */
export interface Following {
  /** There may be something to tell. To be called after each record that asks for it is durable. */
  wake(): void
  /**
   * To be called from time to time: passes over what was written before the last time, where nothing called `wake` since,
   * so that a log in which nothing asks for a notification is not read for it.
   */
  passOver(): Promise<void>
  close(): Promise<void>
}

const recordsAtOnce = 500

/**
 * Follows the log for one follower from where it had come, or from the log's end where it is new. What it has not taken
 * stays where it is, in the log, so that nothing is lost over a restart; what it took last may be told it once more.
 */
export async function followLog(follower: Follower, ports: FollowPorts): Promise<Following> {
  const { decisionLog, positions, pausesMs } = ports
  let position = (await positions.find(follower.reader)) ?? (await newest())
  await positions.keep(follower.reader, position)
  let running: Promise<void> = Promise.resolve()
  let isRunning = false
  let isAskedAgain = false
  let isClosed = false
  let pauseMs = 0
  let retry: NodeJS.Timeout | null = null
  let isWoken = false
  let last: { readonly newest: string; readonly position: string } | null = null

  async function newest(): Promise<string> {
    const [last] = await decisionLog.read({ namespace: null, descending: true, limit: 1 })
    return last?.id ?? ''
  }

  /** Tells what there is. False where the follower did not take something. */
  async function catchUp(): Promise<boolean> {
    for (;;) {
      const from = position
      const after = from === '' ? {} : { afterId: from }
      const records = await decisionLog.read({
        namespace: null,
        kinds: ['decision', 'approval'],
        limit: recordsAtOnce,
        ...after,
      })
      let refused: string | null = null
      for (const record of records) {
        const notification = notificationOf(record, ports.approvalChannels)
        refused = notification === null ? null : await follower.tell(notification)
        if (refused !== null) break
        position = record.id
        if (isClosed) break
      }
      if (position !== from) await positions.keep(follower.reader, position)
      if (refused !== null && pauseMs === 0) follower.onChange(refused)
      if (refused !== null || isClosed) return false
      if (records.length < recordsAtOnce) return true
    }
  }

  async function run(): Promise<void> {
    isRunning = true
    let isDone = true
    while (isAskedAgain && isDone && !isClosed) {
      isAskedAgain = false
      isDone = await catchUp().catch((error: unknown) => {
        ports.onFailure(error)
        return false
      })
      if (isDone && pauseMs > 0) follower.onChange(null)
      if (isDone) pauseMs = 0
    }
    // In one step with the last look at isAskedAgain: a wake in between would be forgotten.
    isRunning = false
    if (!isDone && !isClosed) waitLonger()
  }

  function waitLonger(): void {
    pauseMs = Math.min(Math.max(pausesMs.first, pauseMs * 2), pausesMs.longest)
    retry = setTimeout(() => {
      retry = null
      wake()
    }, pauseMs)
    retry.unref()
  }

  /** What was durable at the last look has called `wake` long ago, if it calls at all. */
  async function passOver(): Promise<void> {
    const isQuiet = !isWoken && !isRunning && retry === null && !isClosed
    if (isQuiet && last !== null && last.position === position && last.newest !== position) {
      position = last.newest
      await positions.keep(follower.reader, position)
    }
    isWoken = false
    const here = position
    last = { newest: await newest(), position: here }
  }

  function wake(): void {
    isWoken = true
    isAskedAgain = true
    if (isRunning || retry !== null || isClosed) return
    running = run()
  }

  return {
    wake,
    passOver,
    async close() {
      isClosed = true
      if (retry !== null) clearTimeout(retry)
      await running
    },
  }
}
