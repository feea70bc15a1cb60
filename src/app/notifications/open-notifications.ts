import type { DecisionLog, LogPositionStore } from '../../audit/index.ts'
import type { GuardedFetch } from '../../egress/index.ts'
import type { GatewayPorts } from '../../gateway/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { Log } from '../log.ts'
import { followLog, type FollowPorts, type FollowState } from '../log-followers/follow-log.ts'
import { readerNames } from '../log-followers/reader-names.ts'
import { channelKey, postNotification } from './post-notification.ts'
import { tellNotifications, type Listener } from './tell-notifications.ts'

/** What is needed to tell channels of calls. */
export interface NotificationOptions {
  readonly config: GatewayPorts['config']['notifications']
  /** Channels that are told of calls that wait for a person. */
  readonly approvalChannels: readonly string[]
  readonly decisionLog: Pick<DecisionLog, 'read'>
  readonly positions: LogPositionStore
  readonly fetch: GuardedFetch
  readonly clock: Clock
  readonly log: Log
  readonly pausesMs?: FollowPorts['pausesMs']
}

/** Channels at work. */
export interface Notifications {
  wake(): void
  /** How far each channel with an address is. */
  states(): readonly ChannelState[]
  close(): Promise<void>
}

/** Where a channel is. */
export interface ChannelState extends FollowState {
  readonly name: string
}

/** So that no wake has to read a whole day of decisions that ask for nothing. */
const passOverEveryMs = 60_000

/**
 * Tells each channel of the calls whose permits demand it, from the decision records: no call waits for a receiver, a
 * receiver that is down is told later, and none waits for another. A channel without an address is a line of the log.
 */
export async function openNotifications(options: NotificationOptions): Promise<Notifications> {
  const {
    config,
    approvalChannels,
    decisionLog,
    positions,
    log,
    pausesMs = { first: 1000, longest: 300_000 },
  } = options
  const closing = new AbortController()
  const listeners = [
    ...config.channels.map(({ name, url }) => webhookFollower(name, url, options, closing.signal)),
    logFollower(new Set(config.channels.map(({ name }) => name)), log),
  ]
  const onFailure = (error: unknown): void => log.error({ err: error }, 'the log could not be read for notifications')
  const ports = { decisionLog, positions, pausesMs, onFailure }
  const following = await Promise.all(
    listeners.map(
      async (listener) => await followLog(tellNotifications(listener, approvalChannels, config.alerts), ports),
    ),
  )
  const wake = (): void => {
    for (const one of following) one.wake()
  }
  wake()
  let passing: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    passing = Promise.all(following.map(async (one) => await one.passOver())).catch(onFailure)
  }, passOverEveryMs)
  timer.unref()
  return {
    wake,
    states: () =>
      config.channels.flatMap(({ name }, at) => {
        const state = following[at]?.state()
        return state === undefined ? [] : [{ name, ...state }]
      }),
    async close() {
      clearInterval(timer)
      closing.abort()
      await passing
      await Promise.all(following.map(async (one) => await one.close()))
    },
  }
}

function webhookFollower(
  channel: string,
  url: string,
  { config: { networks, secret }, fetch, clock, log }: NotificationOptions,
  signal: AbortSignal,
): Listener {
  const webhook = { channel, url, key: channelKey(secret, channel), networks }
  return {
    reader: readerNames.channel(channel),
    tell: async (notification) =>
      notification.channels.includes(channel)
        ? await postNotification(webhook, notification, { fetch, clock, signal })
        : null,
    onChange(why) {
      if (why === null) log.info({ channel }, 'a channel is told of calls again')
      else log.error({ channel, why }, 'a channel cannot be told of calls; it is tried again')
    },
  }
}

const sentences = {
  'call.allowed': 'a policy asks that somebody is told of this call',
  'approval.requested': 'a call waits for a person',
  'output.quarantined': 'something that must have held of a call did not: its output is in quarantine',
  'alarm.raised': 'an alarm was raised',
} as const

/** Tells of the channels that have no address. It takes everything. */
function logFollower(addressed: ReadonlySet<string>, log: Log): Listener {
  return {
    reader: 'notify',
    async tell({ type, channels, about }) {
      for (const channel of channels) if (!addressed.has(channel)) log.warn({ channel, about }, sentences[type])
      return null
    },
    onChange() {},
  }
}
