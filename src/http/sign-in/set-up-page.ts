import {
  browserOrigin,
  cookie,
  linkCookieName,
  passwordProblem,
  readCookie,
  type SignInMethod,
  type StoredLink,
} from '../../auth/index.ts'
import { isName, McpworksError } from '../../kernel/index.ts'
import { beginSession } from './begin-session.ts'
import { html, type Html } from './html.ts'
import { newPasswordFields } from './new-password-fields.ts'
import type { PageAnswer } from './page-answer.ts'
import { home } from './return-to.ts'
import { onward } from './sign-in-page.ts'
import { refusal, textField, type PageVisit } from './visit.ts'

const over = 'This link is not good any more: it was used, replaced by a newer one, or is too old. Ask for another one.'

/** Takes the token out of the address bar into a cookie. Uses nothing up: programs that preview links come here too. */
export async function openLink(visit: PageVisit): Promise<PageAnswer> {
  const token = visit.mounted.parameters.token ?? ''
  if ((await linkOf(visit, token)) === null) return overPage(visit)
  const origin = browserOrigin(visit.mounted.publicUrl)
  const kept = cookie(linkCookieName(origin), token, visit.people.config.linkSeconds, origin)
  return { kind: 'redirect', to: '/sign-in/set-up', cookies: [kept] }
}

/** The page on which the holder of a link sets a passkey or a password. */
export async function setUpPage(visit: PageVisit): Promise<PageAnswer> {
  const link = await linkOf(visit)
  return link === null ? overPage(visit) : formPage(visit, link, 200, null)
}

/** Sets a password and signs in. */
export async function setUpPassword(visit: PageVisit): Promise<PageAnswer> {
  const link = await linkOf(visit)
  if (link === null) return overPage(visit)
  const name = nameFor(link, visit)
  const password = typeof visit.fields.password === 'string' ? visit.fields.password : ''
  const problem =
    nameProblem(link, name, visit) ??
    (visit.people.config.passwords ? passwordProblem(password, name) : 'Passwords are turned off here.') ??
    (password === visit.fields.repeat ? null : 'The two passwords differ.')
  if (problem !== null) return formPage(visit, link, 400, problem)
  const hash = await visit.people.passwords.hash(password)
  const cookies = await complete(visit, link, name, 'password', () =>
    visit.people.factors.setPassword(name, hash, visit.address),
  )
  return cookies === null ? overPage(visit) : onward(home, cookies)
}

/** Options for a new passkey. */
export async function setUpOptions(visit: PageVisit): Promise<PageAnswer> {
  const link = await linkOf(visit)
  if (link === null) return refusal('application/json', 'credential_invalid', over)
  const name = nameFor(link, visit)
  const problem = nameProblem(link, name, visit)
  if (problem !== null) return refusal('application/json', 'name_invalid', problem)
  const options = await visit.people.passkeys.creationOptions({ id: name }, visit.visit, visit.origin)
  return { kind: 'json', status: 200, value: options }
}

/** Sets a passkey and signs in. */
export async function setUpPasskey(visit: PageVisit): Promise<PageAnswer> {
  const { people, fields, origin, address } = visit
  const link = await linkOf(visit)
  if (link === null) return refusal('application/json', 'credential_invalid', over)
  const name = nameFor(link, visit)
  const problem = nameProblem(link, name, visit)
  if (problem !== null) return refusal('application/json', 'name_invalid', problem)
  const made = await people.passkeys.verifyCreation({ id: name }, fields.credential, visit.visit, origin)
  if (!made.ok) {
    visit.refused('credential_invalid', made.reason, link.userId)
    return refusal('application/json', 'credential_invalid', 'That passkey could not be taken. Try again.')
  }
  const passkey = { ...made.passkey, label: labelOf(fields.label) }
  const cookies = await complete(visit, link, name, 'passkey', () => people.factors.addPasskey(passkey, address))
  if (cookies === null) return refusal('application/json', 'credential_invalid', over)
  return { kind: 'json', status: 200, value: { next: home }, cookies }
}

/** What a person calls a passkey: one line, at most 60 characters. */
export function labelOf(value: unknown): string {
  const text = typeof value === 'string' ? value : ''
  const plain = text.replaceAll(/\p{C}+/gu, ' ').trim()
  return plain === '' ? 'passkey' : plain.slice(0, 60).toWellFormed()
}

/**
 * The link is used up first: of two who hold it one wins, whatever each of them does with it. Every session that the
 * user had ends, because whoever needs a link may have lost more than a passkey. `null` where the other one won.
 */
async function complete(
  visit: PageVisit,
  link: StoredLink,
  name: string,
  method: SignInMethod,
  addFactor: () => Promise<void>,
): Promise<string[] | null> {
  const { people, address } = visit
  if (!(await people.links.use(link))) return null
  if (link.userId === null) {
    await people.events.record({
      type: 'user-added',
      namespace: null,
      principalId: name,
      credentialId: link.id,
      address,
      facts: { roles: ['owner'] },
    })
    await people.registry.addUser(name, ['owner'])
  }
  await addFactor()
  await people.sessions.endAll(name, 'a one-time link was used', address)
  return beginSession(visit, name, method)
}

/** The link of the cookie, or of a token, if it is good for anybody at this moment. */
async function linkOf({ people, mounted }: PageVisit, given?: string): Promise<StoredLink | null> {
  const token = given ?? readCookie(mounted.head.cookie, linkCookieName(browserOrigin(mounted.publicUrl))) ?? ''
  const link = token === '' ? null : await people.links.find(token)
  if (link === null) return null
  // The first owner is set up once: a link for that is worth nothing where somebody can sign in.
  if (link.userId === null) return people.anybodyCanSignIn() ? null : link
  return people.registry.findActivePrincipal(link.userId)?.type === 'user' ? link : null
}

function nameFor(link: StoredLink, { fields }: PageVisit): string {
  return link.userId ?? textField(fields, 'name').trim()
}

function nameProblem(link: StoredLink, name: string, { people }: PageVisit): string | null {
  if (link.userId !== null) return null
  if (!isName(name)) return new McpworksError('name_invalid').message
  return people.registry.findPrincipal(name) === null ? null : `${name} is taken. Choose another name.`
}

function overPage(visit: PageVisit): PageAnswer {
  visit.refused('credential_invalid', 'a one-time link that is not good')
  return refusal(visit.mounted.head.contentType, 'credential_invalid', over)
}

function formPage(visit: PageVisit, link: StoredLink, status: number, problem: string | null): PageAnswer {
  const { people, origin, visitCsrf } = visit
  const first = link.userId === null
  const name = first ? textField(visit.fields, 'name') : link.userId
  return {
    kind: 'page',
    status,
    title: first ? 'Set up the first owner' : `Welcome, ${name}`,
    body: html`<div class="narrow">
      <div role="alert">${problem}</div>
      ${
        first
          ? html`<p>You will be an owner of this server: you can do everything and make other users.</p>`
          : html`<p>Set what you will sign in with as <strong>${name}</strong>. All your other sessions end.</p>`
      }
      ${
        origin.passkeyId === null
          ? html`<p class="soft">Passkeys need a host name; this server is reached by its address.</p>`
          : html`<section>
              <form method="post" action="/sign-in/set-up/passkey" data-passkey="create">
                <h2>With a passkey</h2>
                <input type="hidden" name="csrf" value="${visitCsrf}" />
                ${nameInput(first, 'passkey-name', name)}
                <label for="label">What you call this device</label>
                <input id="label" name="label" maxlength="60" placeholder="laptop" />
                <button>Make a passkey</button>
              </form>
            </section>`
      }
      ${
        people.config.passwords &&
        html`<section>
          <form method="post" action="/sign-in/set-up/password">
            <h2>With a password</h2>
            <input type="hidden" name="csrf" value="${visitCsrf}" />
            ${nameInput(first, 'password-name', name)} ${newPasswordFields('Password')}
            <button>Set the password</button>
          </form>
        </section>`
      }
    </div>`,
  }
}

function nameInput(first: boolean, id: string, name: string): Html {
  if (!first) return html`<input type="hidden" name="name" value="${name}" autocomplete="username" />`
  return html`<label for="${id}">Your name here</label>
    <input
      id="${id}"
      name="name"
      value="${name}"
      autocomplete="username"
      autocapitalize="none"
      spellcheck="false"
      pattern="[a-z][a-z0-9\\-]*[a-z0-9]"
      title="2-40 of a-z, 0-9 and hyphen, a letter first"
      maxlength="40"
      required
    />`
}
