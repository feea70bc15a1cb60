import type { People } from '../../auth/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { MountedPart, Route } from '../routes.ts'
import {
  accountPage,
  addPasskey,
  addPasskeyOptions,
  endOtherSessions,
  endSession,
  removePasskey,
  removePassword,
  revokeGrant,
  setPassword,
} from './account-page.ts'
import { asset } from './assets.ts'
import { arriveFromOidc, beginOidc, linkOidc } from './oidc-page.ts'
import { openLink, setUpOptions, setUpPage, setUpPasskey, setUpPassword } from './set-up-page.ts'
import { passkeyOptions, signInPage, signInWithPasskey, signInWithPassword, signOut } from './sign-in-page.ts'
import { page, type PageRule, type PageVisit } from './visit.ts'
import type { PageAnswer } from './page-answer.ts'

/** The pages for people: to sign in and out, to use a one-time link, and the account. */
export function signInRoutes(people: People, clock: Clock): Route[] {
  const at = (method: 'GET' | 'POST', path: string, part: MountedPart): Route => ({
    method,
    path,
    access: { kind: 'public' },
    serve: { kind: 'mounted', part },
  })
  const read = (path: string, answer: (visit: PageVisit) => Promise<PageAnswer>): Route =>
    at('GET', path, page(people, 'read', answer))
  const form = (path: string, rule: PageRule, answer: (visit: PageVisit, clock: Clock) => Promise<PageAnswer>): Route =>
    at(
      'POST',
      path,
      page(people, rule, (visit) => answer(visit, clock)),
    )
  return [
    at('GET', '/sign-in/style.css', asset('style.css')),
    at('GET', '/sign-in/passkey.js', asset('passkey.js')),
    read('/sign-in', signInPage),
    form('/sign-in/password', 'visit-form', signInWithPassword),
    form('/sign-in/passkey/options', 'visit-form', passkeyOptions),
    form('/sign-in/passkey', 'visit-form', signInWithPasskey),
    form('/sign-in/oidc', 'visit-form', beginOidc),
    read('/sign-in/oidc/callback', arriveFromOidc),
    form('/account/oidc', 'session-form', linkOidc),
    read('/sign-in/link/{token}', openLink),
    read('/sign-in/set-up', setUpPage),
    form('/sign-in/set-up/password', 'visit-form', setUpPassword),
    form('/sign-in/set-up/passkey/options', 'visit-form', setUpOptions),
    form('/sign-in/set-up/passkey', 'visit-form', setUpPasskey),
    form('/sign-out', 'session-form', signOut),
    read('/account', accountPage),
    form('/account/sessions/end', 'session-form', endSession),
    form('/account/sessions/end-others', 'session-form', endOtherSessions),
    form('/account/passkeys/options', 'session-form', addPasskeyOptions),
    form('/account/passkeys', 'session-form', addPasskey),
    form('/account/passkeys/remove', 'session-form', removePasskey),
    form('/account/password', 'session-form', setPassword),
    form('/account/password/remove', 'session-form', removePassword),
    form('/account/grants/revoke', 'session-form', revokeGrant),
  ]
}
