import { passwordProblem, type SignedIn } from '../../auth/index.ts'
import { McpworksError, type Clock } from '../../kernel/index.ts'
import { accountView, grantsOf } from './account-view.ts'
import type { PageAnswer } from './page-answer.ts'
import { refusal, textField, type PageVisit } from './visit.ts'
import { labelOf } from './set-up-page.ts'

/** How old a sign-in may be where somebody changes what they sign in with. The same as in the policy `recent-sign-in`. */
const recentMs = 600_000

/** Who is signed in, what they sign in with, and what acts for them. */
export async function accountPage(visit: PageVisit): Promise<PageAnswer> {
  const { person } = visit
  if (person === null) return { kind: 'redirect', to: visit.people.signIn.signInUrl('/account') }
  return accountView(visit, person, 200, null)
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
  if (problem !== null) return accountView(visit, person, 400, problem)
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
  if (grant === undefined) return accountView(visit, person, 404, 'That client is not connected any more.')
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
    return accountView(visit, person, 400, error.message)
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
