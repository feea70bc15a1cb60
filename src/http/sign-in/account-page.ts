import {
  minPasswordLength,
  passwordProblem,
  type SignedIn,
  type StoredCredential,
  type StoredPrincipal,
} from '../../auth/index.ts'
import { McpworksError, type Clock } from '../../kernel/index.ts'
import { html, type Html } from './html.ts'
import type { PageAnswer } from './page-answer.ts'
import { refusal, textField, type PageVisit } from './visit.ts'
import { labelOf } from './set-up-page.ts'

/** How old a sign-in may be where somebody changes what they sign in with. The same as in the policy `recent-sign-in`. */
const recentMs = 600_000

/** Who is signed in, what they sign in with, and what acts for them. */
export async function accountPage(visit: PageVisit): Promise<PageAnswer> {
  const { person } = visit
  if (person === null) return { kind: 'redirect', to: visit.people.signIn.signInUrl('/account') }
  return accountWith(visit, person, 200, null)
}

/** Ends one session of the person. */
export async function endSession(visit: PageVisit): Promise<PageAnswer> {
  const { people, address, fields } = visit
  const person = mustBeSignedIn(visit)
  await people.sessions.end(person.userId, textField(fields, 'session'), 'ended by the user', address)
  return { kind: 'redirect', to: '/account' }
}

/** Ends all sessions but this one. */
export async function endOtherSessions(visit: PageVisit): Promise<PageAnswer> {
  const person = mustBeSignedIn(visit)
  await visit.people.sessions.endAll(person.userId, 'ended by the user', visit.address, person.sessionId)
  return { kind: 'redirect', to: '/account' }
}

/** Options for another passkey. */
export async function addPasskeyOptions(visit: PageVisit, clock: Clock): Promise<PageAnswer> {
  const person = mustBeSignedIn(visit)
  if (!isRecent(person, clock)) return notRecent()
  const options = await visit.people.passkeys.creationOptions({ id: person.userId }, visit.visit, visit.origin)
  return { kind: 'json', status: 200, value: options }
}

/** Adds a passkey. */
export async function addPasskey(visit: PageVisit, clock: Clock): Promise<PageAnswer> {
  const { people, fields, address } = visit
  const person = mustBeSignedIn(visit)
  if (!isRecent(person, clock)) return notRecent()
  const made = await people.passkeys.verifyCreation({ id: person.userId }, fields.credential, visit.visit, visit.origin)
  if (!made.ok) {
    visit.refused('credential_invalid', made.reason, person.userId)
    return refusal('application/json', 'credential_invalid', 'That passkey could not be taken. Try again.')
  }
  await people.factors.addPasskey({ ...made.passkey, label: labelOf(fields.label) }, address)
  return { kind: 'json', status: 200, value: { next: '/account' } }
}

/** Removes a passkey, but not the last thing that the person can sign in with. */
export async function removePasskey(visit: PageVisit, clock: Clock): Promise<PageAnswer> {
  const person = mustBeSignedIn(visit)
  if (!isRecent(person, clock)) return signInAgain()
  return orProblem(visit, person, () =>
    visit.people.factors.removePasskey(person.userId, textField(visit.fields, 'passkey'), visit.address),
  )
}

/** Sets a password, or another one. Other sessions end: somebody may have known the old one. */
export async function setPassword(visit: PageVisit, clock: Clock): Promise<PageAnswer> {
  const { people, fields, address } = visit
  const person = mustBeSignedIn(visit)
  if (!isRecent(person, clock)) return signInAgain()
  const password = typeof fields.password === 'string' ? fields.password : ''
  const problem =
    (people.config.passwords ? passwordProblem(password, person.userId) : 'Passwords are turned off here.') ??
    (password === fields.repeat ? null : 'The two passwords differ.')
  if (problem !== null) return accountWith(visit, person, 400, problem)
  const hash = await people.passwords.hash(password)
  await people.factors.setPassword(person.userId, hash, address)
  await people.sessions.endAll(person.userId, 'the password was changed', address, person.sessionId)
  return { kind: 'redirect', to: '/account' }
}

/** Removes the password, but not the last thing that the person can sign in with. */
export async function removePassword(visit: PageVisit, clock: Clock): Promise<PageAnswer> {
  const person = mustBeSignedIn(visit)
  if (!isRecent(person, clock)) return signInAgain()
  return orProblem(visit, person, () => visit.people.factors.removePassword(person.userId, visit.address))
}

/** Takes back what the person consented to for a client. Counts from the client's next request on. */
export async function revokeGrant(visit: PageVisit): Promise<PageAnswer> {
  const { people, fields, address } = visit
  const person = mustBeSignedIn(visit)
  const id = textField(fields, 'grant')
  const grant = grantsOf(visit, person.userId).find(({ credential }) => credential.id === id)
  if (grant === undefined) return accountWith(visit, person, 404, 'That client is not connected any more.')
  await people.events.record({
    type: 'token-revoked',
    namespace: grant.principal.namespace,
    principalId: grant.principal.id,
    credentialId: id,
    address,
    facts: { by: person.userId },
  })
  await people.registry.revokeCredential(grant.principal.namespace, id)
  return { kind: 'redirect', to: '/account' }
}

async function orProblem(visit: PageVisit, person: SignedIn, work: () => Promise<void>): Promise<PageAnswer> {
  try {
    await work()
    return { kind: 'redirect', to: '/account' }
  } catch (error) {
    if (!(error instanceof McpworksError) || (error.code !== 'invalid_request' && error.code !== 'unknown_object'))
      throw error
    return accountWith(visit, person, 400, error.message)
  }
}

/** @throws McpworksError `credential_missing` where the page was mounted without asking for a session */
function mustBeSignedIn({ person }: PageVisit): SignedIn {
  if (person === null) throw new McpworksError('credential_missing')
  return person
}

/** Whether the person signed in lately enough to change what they sign in with. */
export function isRecent(person: SignedIn, clock: Clock): boolean {
  return clock.nowMs() - person.authenticatedAtMs <= recentMs
}

/** To the page to sign in once more. */
export function signInAgain(): PageAnswer {
  return { kind: 'redirect', to: '/sign-in?again=1&return=/account' }
}

function notRecent(): PageAnswer {
  return refusal(
    'application/json',
    'credential_invalid',
    'Sign in once more first: this needs a sign-in of the last ten minutes.',
  )
}

function grantsOf(
  { people }: PageVisit,
  userId: string,
): { credential: StoredCredential; principal: StoredPrincipal }[] {
  return people.registry.listActiveCredentials('grant').filter(({ credential }) => credential.details.userId === userId)
}

function accountWith(visit: PageVisit, person: SignedIn, status: number, problem: string | null): PageAnswer {
  const { registry } = visit.people
  const user = registry.findActivePrincipal(person.userId)
  const owned = registry
    .listAllAgents()
    .filter(({ ownerId, revokedAtMs }) => ownerId === person.userId && revokedAtMs === null)
  return {
    kind: 'page',
    status,
    title: person.userId,
    body: html`<div role="alert">${problem}</div>
      <section>
        <h2>Roles</h2>
        <p>
          ${user === null || user.groups.length === 0 ? 'None yet. An owner or admin can give you one.' : user.groups.join(', ')}
        </p>
        <form method="post" action="/sign-out">${csrfField(person)}<button class="quiet">Sign out</button></form>
      </section>
      ${factorSection(visit, person)} ${sessionSection(visit, person)}
      <section>
        <h2>Connected clients</h2>
        ${rows(
          grantsOf(visit, person.userId).map(
            ({ credential, principal }) =>
              html`<li>
                <span
                  >${credential.label === '' ? credential.id : credential.label}<br /><small
                    >acts as ${principal.id}, since ${day(credential.createdAtMs)}</small
                  ></span
                >
                <form method="post" action="/account/grants/revoke">
                  ${csrfField(person)}<input type="hidden" name="grant" value="${credential.id}" /><button
                    class="quiet"
                  >
                    Disconnect
                  </button>
                </form>
              </li>`,
          ),
          'No client acts for you.',
        )}
      </section>
      <section>
        <h2>Agents that you own</h2>
        ${rows(
          owned.map(
            ({ id, disabledAtMs }) =>
              html`<li><span>${id}</span><small>${disabledAtMs === null ? 'active' : 'disabled'}</small></li>`,
          ),
          'None.',
        )}
      </section>`,
  }
}

function factorSection({ people, origin }: PageVisit, person: SignedIn): Html {
  const { passkeys, hasPassword, accounts } = people.factors.of(person.userId)
  return html`<section>
    <h2>What you sign in with</h2>
    <ul class="rows">
      ${passkeys.map(
        (passkey) =>
          html`<li>
            <span
              >${passkey.label}<br /><small
                >passkey, made ${day(passkey.createdAtMs)},
                ${passkey.lastUsedAtMs === null ? 'not used yet' : `last used ${day(passkey.lastUsedAtMs)}`}</small
              ></span
            >
            <form method="post" action="/account/passkeys/remove">
              ${csrfField(person)}<input type="hidden" name="passkey" value="${passkey.id}" /><button
                class="quiet"
                aria-label="Remove passkey ${passkey.label}"
              >
                Remove
              </button>
            </form>
          </li>`,
      )}
      ${
        hasPassword &&
        html`<li>
          <span>Password</span>
          <form method="post" action="/account/password/remove">
            ${csrfField(person)}<button class="quiet" aria-label="Remove the password">Remove</button>
          </form>
        </li>`
      }
      ${accounts.map(({ issuer }) => html`<li><span>Account at ${issuer}</span></li>`)}
    </ul>
    ${
      people.oidc === null || accounts.length > 0
        ? null
        : html`<form method="post" action="/account/oidc">
            ${csrfField(person)}<button>Link your account at ${people.config.oidc.label}</button>
          </form>`
    }
    ${
      origin.passkeyId !== null &&
      html`<form method="post" action="/account/passkeys" data-passkey="create">
        ${csrfField(person)}
        <label for="label">Another device</label>
        <input id="label" name="label" maxlength="60" placeholder="phone" />
        <button>Add a passkey</button>
      </form>`
    }
    ${
      people.config.passwords &&
      html`<form method="post" action="/account/password">
        ${csrfField(person)}
        <input type="hidden" name="name" value="${person.userId}" autocomplete="username" />
        <label for="password"
          >${hasPassword ? 'Another password' : 'A password'}, at least ${minPasswordLength} characters</label
        >
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="new-password"
          minlength="${minPasswordLength}"
          required
        />
        <label for="repeat">The same once more</label>
        <input id="repeat" name="repeat" type="password" autocomplete="new-password" required />
        <button>${hasPassword ? 'Change the password' : 'Set a password'}</button>
      </form>`
    }
  </section>`
}

function sessionSection({ people }: PageVisit, person: SignedIn): Html {
  const sessions = people.sessions.list(person.userId).sort((left, right) => right.lastUsedAtMs - left.lastUsedAtMs)
  return html`<section>
    <h2>Where you are signed in</h2>
    <ul class="rows">
      ${sessions.map(
        (session) =>
          html`<li>
            <span
              >${session.claimedName ?? 'a browser'}<br /><small
                >${session.address}, by ${session.method}, since ${day(session.beganAtMs)}</small
              ></span
            >
            ${
              session.id === person.sessionId
                ? html`<strong>this one</strong>`
                : html`<form method="post" action="/account/sessions/end">
                    ${csrfField(person)}<input type="hidden" name="session" value="${session.id}" /><button
                      class="quiet"
                    >
                      End
                    </button>
                  </form>`
            }
          </li>`,
      )}
    </ul>
    ${sessions.length > 1 && html`<form method="post" action="/account/sessions/end-others">${csrfField(person)}<button class="quiet">End all others</button></form>`}
  </section>`
}

function csrfField({ csrf }: SignedIn): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}" />`
}

function rows(items: readonly Html[], none: string): Html {
  return items.length === 0
    ? html`<p class="soft">${none}</p>`
    : html`<ul class="rows">
        ${items}
      </ul>`
}

function day(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
