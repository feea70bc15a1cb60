import type { ApprovalLinks } from '../../approvals/index.ts'
import type { IdentityRegistry, People } from '../../auth/index.ts'
import type { Gateway } from '../../gateway/index.ts'
import type { Caller } from '../../kernel/index.ts'

/** What the pages stand on. */
export interface ApprovalPages {
  readonly people: People
  readonly links: Pick<ApprovalLinks, 'open'>
  readonly gateway: Pick<Gateway, 'perform'>
  readonly registry: Pick<IdentityRegistry, 'findActivePrincipal' | 'describe'>
  /** Names of the namespaces in which the caller may list what waits. */
  readonly namespacesOf: (caller: Caller) => readonly string[]
}

/** Path of the page on which a person who is signed in decides. */
export const requestPath = '/approvals/{namespace}/{approval}'

/** Path of the page of a link. */
export const linkPath = '/approve/{token}'
