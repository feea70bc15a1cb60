import type { ApprovalLinks } from '../approvals/index.ts'
import type { AuthorizationServer, IdentityRegistry, People } from '../auth/index.ts'
import type { Config } from '../config/index.ts'
import type { Catalogue, Gateway } from '../gateway/index.ts'
import { approvalRoutes, signInRoutes, upstreamRoutes, type Route } from '../http/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { PolicyEngine } from '../policy/index.ts'
import { authorizationRoutes } from './authorization-routes.ts'
import { mayList } from './may-list.ts'
import type { Namespaces } from './namespaces.ts'
import type { openUpstreams } from './upstreams.ts'

/** What the pages stand on. */
export interface PageParts {
  readonly people: People
  readonly approvalLinks: ApprovalLinks
  readonly gateway: Gateway
  readonly registry: IdentityRegistry
  readonly namespaces: Pick<Namespaces, 'list'>
  readonly catalogue: Catalogue
  readonly policy: PolicyEngine
  readonly connections: ReturnType<typeof openUpstreams>['connections']
  /** `null` where there is none. */
  readonly authorization: AuthorizationServer | null
  readonly config: Config['auth']
  readonly clock: Clock
}

/** The routes of all pages for people: to sign in, to decide on calls that wait, to connect accounts, to consent. */
export function pageRoutes(parts: PageParts): Route[] {
  const { people, approvalLinks, gateway, registry, namespaces, catalogue, policy } = parts
  const { connections, authorization, config, clock } = parts
  return [
    ...signInRoutes(people, clock),
    ...approvalRoutes({
      people,
      links: approvalLinks,
      gateway,
      registry,
      namespacesOf: (caller) => mayList(caller, namespaces.list(), policy, clock),
    }),
    ...upstreamRoutes({ connections, gateway, signIn: people.signIn, registry }),
    ...(authorization === null
      ? []
      : authorizationRoutes(authorization, {
          signIn: people.signIn,
          registry,
          gateway,
          catalogue,
          policy,
          config,
        })),
  ]
}
