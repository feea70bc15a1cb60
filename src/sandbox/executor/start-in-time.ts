import type { Jail } from '../sandbox-engine.ts'

/**
 * What an engine starts, unless the order is called off or takes too long: what makes jails may itself be gone for a while.
 * A jail that comes after that is killed. @throws Error with the reason, also the engine's own
 */
export async function startInTime(
  starting: Jail | Promise<Jail>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Jail> {
  const { promise, resolve, reject } = Promise.withResolvers<Jail>()
  let isGivenUp = false
  const giveUp = (why: string): void => {
    isGivenUp = true
    reject(new Error(why))
  }
  const cancel = (): void => giveUp('it was cancelled')
  const timer = setTimeout(() => giveUp('it did not start in time'), timeoutMs)
  signal?.addEventListener('abort', cancel, { once: true })
  void Promise.resolve(starting).then((jail) => {
    if (isGivenUp) endUnread(jail)
    else resolve(jail)
  }, reject)
  if (signal?.aborted === true) cancel()
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}

/** A stream that nobody reads is never closed, and a jail has not ended before its streams have. */
function endUnread(jail: Jail): void {
  for (const stream of [jail.channel, jail.stdout, jail.stderr]) stream.on('error', () => stream.destroy()).resume()
  jail.kill()
}
