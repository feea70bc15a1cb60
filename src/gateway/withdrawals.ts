import type { Caller } from '../kernel/index.ts'
import type { InvocationEvents } from './backend.ts'
import type { GatewayRequest } from './gateway.ts'

/** Tells when callers lose what they were let in with, while they are in. */
export interface Withdrawals {
  /** Whether the credential or the principal was revoked or disabled since. That it has expired does not count. */
  isWithdrawn(caller: Caller): boolean
  /** Whether nothing in the namespace may be used, by anybody. */
  isClosed(namespace: string): boolean
  /** Calls back after each change by which one of the above may have become true. Gives what ends that. */
  onChange(listener: () => void): () => void
}

/** Whether a request may not go on. In a closed namespace people still manage and decide, and read what happened. */
export function isWithdrawn(
  { caller, namespace, effect }: Pick<GatewayRequest, 'caller' | 'namespace' | 'effect'>,
  withdrawals: Withdrawals,
): boolean {
  if (withdrawals.isWithdrawn(caller)) return true
  const isOfPeople = effect.kind === 'manage' || effect.kind === 'approve' || effect.kind === 'audit'
  return !isOfPeople && withdrawals.isClosed(namespace)
}

/** Cuts off running calls of callers that lose what they were let in with. */
export interface CallWatch {
  /**
   * The caller's side of the call, cut off also when the request may not go on, until `done` is called.
   * A management operation is not cut off: half of one would be worse than the whole.
   */
  watch(request: GatewayRequest, events: InvocationEvents): { events: InvocationEvents; done: () => void }
}

/** Looks at every running call after each change: such changes are rare, and calls under way are few. */
export function createCallWatch(withdrawals: Withdrawals): CallWatch {
  const running = new Set<{ readonly request: GatewayRequest; readonly aborter: AbortController }>()
  withdrawals.onChange(() => {
    for (const { request, aborter } of running) if (isWithdrawn(request, withdrawals)) aborter.abort()
  })
  return {
    watch(request, events) {
      if (request.effect.kind === 'manage' || request.effect.kind === 'approve') return { events, done: () => {} }
      const aborter = new AbortController()
      const { signal } = aborter
      const follow = (): void => aborter.abort()
      if (events.signal.aborted) follow()
      else events.signal.addEventListener('abort', follow, { once: true })
      const entry = { request, aborter }
      running.add(entry)
      return {
        events: {
          signal,
          log: (level, data, logger) => {
            if (!signal.aborted) events.log(level, data, logger)
          },
          progress: (progress, total, message) => {
            if (!signal.aborted) events.progress(progress, total, message)
          },
        },
        done() {
          running.delete(entry)
          events.signal.removeEventListener('abort', follow)
        },
      }
    },
  }
}
