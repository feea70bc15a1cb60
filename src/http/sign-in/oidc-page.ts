import type { Clock } from '../../kernel/index.ts'
import { isRecent, signInAgain } from './account-page.ts'
import { onward } from './sign-in-page.ts'
import type { PageAnswer } from './page-answer.ts'
import { beginSession } from './begin-session.ts'
import { returnTo } from './return-to.ts'
import { refusal, textField, type PageVisit } from './visit.ts'

const failed = 'The sign-in at your organisation came to nothing here. Try again, or ask whoever runs this server.'

/** Sends the browser to the issuer. */
export async function beginOidc(visit: PageVisit): Promise<PageAnswer> {
  const { people, origin, fields } = visit
  if (people.oidc === null) return refusal(undefined, 'not_found', failed)
  const next = returnTo(textField(fields, 'return'), origin.origin)
  return onward(await people.oidc.begin(visit.visit, origin.origin, next, null))
}

/** Sends a person who is signed in to the issuer, to link the account that they have there. */
export async function linkOidc(visit: PageVisit, clock: Clock): Promise<PageAnswer> {
  const { people, origin, person } = visit
  if (people.oidc === null || person === null) return refusal(undefined, 'not_found', failed)
  if (!isRecent(person, clock)) return signInAgain()
  return onward(await people.oidc.begin(visit.visit, origin.origin, '/account', person.userId))
}

/** The browser comes back from the issuer. */
export async function arriveFromOidc(visit: PageVisit): Promise<PageAnswer> {
  const { people, origin, mounted, address, person } = visit
  if (people.oidc === null) return refusal(undefined, 'not_found', failed)
  const arrival = await people.oidc.arrive(
    visit.visit,
    new URL(`${origin.origin}${mounted.head.path}?${mounted.head.query}`),
  )
  if (!arrival.ok) return turnAway(visit, arrival.reason)
  if (arrival.linkTo !== null) {
    if (person?.userId !== arrival.linkTo) return turnAway(visit, 'an account to link to a user who is not signed in')
    const { issuer, subject } = arrival.identity
    await people.factors.linkAccount({ issuer, subject, userId: person.userId, rolesFollow: false }, address)
    return onward('/account')
  }
  const user = await people.oidcUser(arrival.identity, address)
  if (!user.ok) return turnAway(visit, user.reason)
  return onward(returnTo(arrival.returnTo, origin.origin), await beginSession(visit, user.userId, 'oidc'))
}

function turnAway(visit: PageVisit, reason: string): PageAnswer {
  visit.refused('credential_invalid', reason)
  return refusal(undefined, 'credential_invalid', failed)
}
