import {
  browserOrigin,
  createLocalKeyManagement,
  createUpstreamConnections,
  createUpstreamVault,
  type IdentityEvents,
  type UpstreamConfig,
} from '../auth/index.ts'
import { createTargetCheck, type GuardedFetch } from '../egress/index.ts'
import { connectPagePath } from '../http/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Log } from './log.ts'
import type { UpstreamHandlerParts } from './management/upstream-handlers.ts'

/** What is needed to make the connections to third-party servers. */
export interface UpstreamOptions {
  readonly storage: Pick<Storage, 'upstreams' | 'masterKey'>
  readonly fetch: GuardedFetch
  readonly events: IdentityEvents
  readonly clock: Clock
  readonly config: UpstreamConfig
  /** Where clients reach this server, once it listens. */
  readonly publicUrl: () => string
  readonly log: Log
}

const refreshEveryMs = 30_000

/** Makes the connections, and refreshes what is about to expire for as long as they are open. */
export function openUpstreams(options: UpstreamOptions): UpstreamHandlerParts & { close(): Promise<void> } {
  const { storage, fetch, events, clock, config, publicUrl, log } = options
  const vault = createUpstreamVault(storage.upstreams, createLocalKeyManagement(storage.masterKey), clock)
  const ports = { store: storage.upstreams, vault, fetch, checkTarget: createTargetCheck(), events, clock, config }
  const connections = createUpstreamConnections(ports)
  let running: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    running = connections
      .refreshDue()
      .catch((error: unknown) => log.error({ err: error }, 'credentials for upstream servers could not be refreshed'))
  }, refreshEveryMs)
  timer.unref()
  return {
    connections,
    vault,
    fetch,
    networks: config.networks,
    connectPage: (namespace, server) => `${browserOrigin(publicUrl()).origin}${connectPagePath(namespace, server)}`,
    async close() {
      clearInterval(timer)
      await running
    },
  }
}
