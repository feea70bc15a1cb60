import { html, type Html } from './html.ts'
import type { PageAnswer } from './page-answer.ts'
import { beginSession } from './begin-session.ts'
import { returnTo } from './return-to.ts'
import { refusal, textField, type PageVisit } from './visit.ts'

/** What people are told whose sign-in failed, whatever was wrong. */
const failed = 'That did not work. Check the name and the password, or use a passkey.'

/** The page to sign in, or on to where somebody was going who is signed in already. */
export async function signInPage(visit: PageVisit): Promise<PageAnswer> {
  const next = returnTo(visit.query.get('return'), visit.origin.origin)
  if (visit.person !== null && visit.query.get('again') === null) return onward(next)
  return formPage(visit, next, 200, null)
}

/** A page that goes on by itself. */
export function onward(next: string, cookies: readonly string[] = []): PageAnswer {
  return {
    kind: 'page',
    status: 200,
    title: 'One moment',
    onward: next,
    body: html`<section class="narrow">
      <p>If nothing happens, <a href="${next}">go on</a>.</p>
    </section>`,
    cookies,
  }
}

/** A name and a password. */
export async function signInWithPassword(visit: PageVisit): Promise<PageAnswer> {
  const { people, fields, address } = visit
  const next = returnTo(textField(fields, 'return'), visit.origin.origin)
  if (!people.config.passwords) return formPage(visit, next, 403, failed)
  const password = typeof fields.password === 'string' ? fields.password.slice(0, 1000) : ''
  const result = await people.checkPassword(textField(fields, 'name').trim(), password, address)
  if (result.ok) return onward(next, await beginSession(visit, result.userId, 'password'))
  if (result.waitSeconds > 0) {
    visit.refused('rate_limited', result.reason, result.userId)
    return formPage(visit, next, 429, `Too many attempts. Wait ${result.waitSeconds} seconds, or use a passkey.`)
  }
  visit.refused('credential_invalid', result.reason, result.userId)
  return formPage(visit, next, 401, failed)
}

/** Options for a passkey: the same for everybody. */
export async function passkeyOptions({ people, visit, origin }: PageVisit): Promise<PageAnswer> {
  return { kind: 'json', status: 200, value: await people.passkeys.requestOptions(visit, origin) }
}

/** A passkey's answer. */
export async function signInWithPasskey(visit: PageVisit): Promise<PageAnswer> {
  const { people, fields, origin } = visit
  const result = await people.passkeys.verifyRequest(fields.credential, visit.visit, origin)
  const user = result.ok ? people.registry.findActivePrincipal(result.userId) : null
  if (!result.ok || user?.type !== 'user') {
    visit.refused('credential_invalid', result.ok ? 'a passkey of a user who is disabled' : result.reason)
    return refusal('application/json', 'credential_invalid', 'That passkey is not good here. Try another one.')
  }
  const cookies = await beginSession(visit, user.id, 'passkey')
  return { kind: 'json', status: 200, value: { next: returnTo(textField(fields, 'return'), origin.origin) }, cookies }
}

/** Ends the session of this browser. */
export async function signOut(visit: PageVisit): Promise<PageAnswer> {
  const { people, person, address } = visit
  if (person !== null) await people.sessions.end(person.userId, person.sessionId, 'signed out', address)
  return { kind: 'redirect', to: '/sign-in' }
}

function formPage(visit: PageVisit, next: string, status: number, problem: string | null): PageAnswer {
  const { people, origin } = visit
  return {
    kind: 'page',
    status,
    title: visit.person === null ? 'Sign in' : 'Sign in once more',
    body: html`<div class="narrow">
      <div role="alert">${problem}</div>
      ${origin.passkeyId === null ? null : passkeyForm(visit, next)}
      ${people.oidc === null ? null : oidcForm(visit, next)} ${people.config.passwords && passwordForm(visit, next)}
      <p class="soft">
        Nobody has an account yet, or yours is lost? Whoever runs this server makes a link:
        <code>mcpworks user link NAME</code>
      </p>
    </div>`,
  }
}

function passkeyForm({ visitCsrf }: PageVisit, next: string): Html {
  return html`<section>
    <form method="post" action="/sign-in/passkey" data-passkey="get">
      <input type="hidden" name="csrf" value="${visitCsrf}" />
      <input type="hidden" name="return" value="${next}" />
      <button autofocus>Sign in with a passkey</button>
    </form>
  </section>`
}

function oidcForm({ people, visitCsrf }: PageVisit, next: string): Html {
  return html`<section>
    <form method="post" action="/sign-in/oidc">
      <input type="hidden" name="csrf" value="${visitCsrf}" />
      <input type="hidden" name="return" value="${next}" />
      <button>Sign in at ${people.config.oidc.label}</button>
    </form>
  </section>`
}

function passwordForm({ visitCsrf }: PageVisit, next: string): Html {
  return html`<section>
    <form method="post" action="/sign-in/password">
      <input type="hidden" name="csrf" value="${visitCsrf}" />
      <input type="hidden" name="return" value="${next}" />
      <label for="name">Name</label>
      <input
        id="name"
        name="name"
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        maxlength="40"
        required
      />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required />
      <button>Sign in with a password</button>
    </form>
  </section>`
}
