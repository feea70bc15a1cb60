import type { Workshop } from './prepare.ts'
import { selfTest } from './self-test.ts'

/**
 * Asks, once and when it is first needed, whether jails that are made anew are jails: the self-test of the start has
 * tested others where those are forked. The answer is what failed, or `null`. A test that breaks is a failed one.
 */
export function createFreshFault(workshop: Workshop): () => Promise<string | null> {
  const { fresh } = workshop
  if (fresh.engine === workshop.engine) return async () => null
  let asked: Promise<string | null> | null = null
  const ask = async (): Promise<string | null> => {
    const checks = await selfTest({ ...workshop, ...fresh })
    const failed = checks.filter(({ ok }) => !ok)
    if (failed.length === 0) return null
    return failed.map(({ id, expected, got }) => `${id}: expected ${expected}, got ${got}`).join('; ')
  }
  // oxlint-disable-next-line mcpworks/catch-fails-closed -- what is answered is a fault, with which nothing is run
  return async () => await (asked ??= ask().catch((error: unknown) => `the self-test broke: ${String(error)}`))
}
