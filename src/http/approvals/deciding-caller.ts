import type { Caller } from '../../kernel/index.ts'
import { callerOfPerson } from '../admin/session-caller.ts'
import { html } from '../sign-in/html.ts'
import type { PageAnswer } from '../sign-in/page-answer.ts'
import type { PageVisit } from '../sign-in/visit.ts'
import type { ApprovalPages } from './approval-page-parts.ts'

/** Who decides on what by a link, or the page that says why nobody does. */
export type LinkCaller =
  | { readonly ok: true; readonly caller: Caller; readonly namespace: string; readonly approval: string }
  | { readonly ok: false; readonly answer: PageAnswer }

/** The person who is signed in; `null` where nobody is who may be. */
export function callerOfSession(visit: PageVisit, { registry }: ApprovalPages): Caller | null {
  const { person, mounted } = visit
  return person === null ? null : callerOfPerson(person, mounted.head, mounted.address, registry)
}

/**
 * The user whom a link is for. A link that is bad, used or over gets one answer. In a browser where somebody else is
 * signed in it is not taken: it was not meant for them.
 */
export async function callerOfLink(visit: PageVisit, { links, registry }: ApprovalPages): Promise<LinkCaller> {
  const { mounted, person, claimedName } = visit
  const link = await links.open(mounted.parameters.token ?? '')
  const user = link === null ? null : registry.findActivePrincipal(link.userId)
  if (link === null || user === null || registry.findActivePrincipal(link.madeBy) === null) {
    mounted.refused('credential_invalid', 'a link for an approval that is no good')
    return refused(404, 'This link is not good: it was used, it has expired, or it never was one.')
  }
  if (person !== null && person.userId !== link.userId) {
    mounted.refused('credential_invalid', 'a link for an approval that is for somebody else')
    return refused(403, `This link is for ${link.userId}, and you are signed in as ${person.userId}.`)
  }
  const { namespace, approval, madeBy, expiresAtMs, id } = link
  return {
    ok: true,
    namespace,
    approval,
    caller: {
      principal: registry.describe(user),
      authentication: {
        method: 'approval-link',
        credentialId: id,
        senderConstrained: false,
        expiresAtMs,
        scopes: [],
        link: { namespace, approval, madeBy },
      },
      client: { address: mounted.address, claimedName: claimedName?.slice(0, 100) ?? null },
    },
  }
}

function refused(status: number, sentence: string): LinkCaller {
  return { ok: false, answer: { kind: 'page', status, title: 'That did not work', body: html`<p>${sentence}</p>` } }
}
