import type { NamespaceClosures } from '../../auth/index.ts'
import type { Namespaces } from '../namespaces.ts'
import { closureView } from './closure-handlers.ts'
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
  closures: Pick<NamespaceClosures, 'find'>,
  checkHealth: () => Promise<readonly HealthCheck[]>,
): PlatformHandlers {
  const closed = (namespace: string | null) => {
    const closure = closures.find(namespace)
    return closure === null ? null : closureView(closure)
  }
  return {
    'namespace.list': async () => ({
      namespaces: namespaces.list().map((namespace) => ({ ...namespace, closed: closed(namespace.name) })),
      closed: closed(null),
    }),
    'platform.doctor': async () => ({ checks: (await checkHealth()).map((check) => ({ ...check })) }),
  }
}
