import type { Caller } from '../../kernel/index.ts'
import type { Route } from '../routes.ts'
import type { PageAnswer } from '../sign-in/page-answer.ts'
import { page, type PageRule, type PageVisit } from '../sign-in/visit.ts'
import { linkPath, requestPath, type ApprovalPages } from './approval-page-parts.ts'
import { answerPage, listPage, requestPage } from './approval-pages.ts'
import { callerOfLink, callerOfSession } from './deciding-caller.ts'

/** The address of a link, for the person who is to open it. Holds the token. */
export function approvalLinkUrl(origin: string, token: string): string {
  return `${origin}${linkPath.replace('{token}', token)}`
}

/**
 * The pages on which people decide on calls that wait: for those who are signed in, and for who has a link. Looking
 * changes nothing, so that programs that open links in mails decide nothing; deciding is a form of the page, with its
 * token, from this origin. What is shown and what is done goes through the pipeline as the person.
 */
export function approvalRoutes(pages: ApprovalPages): Route[] {
  const { people } = pages
  const route = (path: string, rule: PageRule, answer: (visit: PageVisit) => Promise<PageAnswer>): Route => ({
    method: rule === 'read' ? 'GET' : 'POST',
    path,
    access: { kind: 'public' },
    serve: {
      kind: 'mounted',
      part: page(people, rule, async (visit) => ({ ...(await answer(visit)), scripts: false })),
    },
  })
  return [
    route('/approvals', 'read', (visit) => {
      const caller = callerOfSession(visit, pages)
      return caller === null ? signIn(visit) : listPage(caller, pages)
    }),
    route(requestPath, 'read', (visit) => {
      const caller = callerOfSession(visit, pages)
      return caller === null ? signIn(visit) : requestPage(waysOf(visit, caller, visit.person?.csrf ?? ''), pages)
    }),
    route(requestPath, 'session-form', (visit) => {
      const caller = callerOfSession(visit, pages)
      return caller === null ? signIn(visit) : answerPage(waysOf(visit, caller, visit.person?.csrf ?? ''), pages)
    }),
    route(linkPath, 'read', async (visit) => {
      const found = await callerOfLink(visit, pages)
      return found.ok ? requestPage({ ...found, visit, csrf: visit.visitCsrf }, pages) : found.answer
    }),
    route(linkPath, 'visit-form', async (visit) => {
      const found = await callerOfLink(visit, pages)
      return found.ok ? answerPage({ ...found, visit, csrf: visit.visitCsrf }, pages) : found.answer
    }),
  ]
}

function waysOf(visit: PageVisit, caller: Caller, csrf: string) {
  const { namespace = '', approval = '' } = visit.mounted.parameters
  return { visit, caller, namespace, approval, csrf }
}

async function signIn({ people, mounted }: PageVisit): Promise<PageAnswer> {
  return { kind: 'redirect', to: people.signIn.signInUrl(mounted.head.path) }
}
