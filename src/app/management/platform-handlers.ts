import type { Namespaces } from '../namespaces.ts'
import type { Handlers } from './handler.ts'

type PlatformHandlers = Pick<Handlers, 'namespace.list' | 'platform.doctor'>

/** One thing that was looked at, and what to do where it is not as it should be. */
export interface HealthCheck {
  readonly id: string
  readonly ok: boolean
  readonly detail: string
  readonly remedy: string | null
}

/** The platform as a whole. */
export function platformHandlers(
  namespaces: Namespaces,
  checkHealth: () => Promise<readonly HealthCheck[]>,
): PlatformHandlers {
  return {
    'namespace.list': async () => ({ namespaces: namespaces.list() }),
    'platform.doctor': async () => ({ checks: (await checkHealth()).map((check) => ({ ...check })) }),
  }
}
