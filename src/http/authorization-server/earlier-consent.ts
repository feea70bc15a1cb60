import type { ConsentQuestion, IdentityRegistry, SignedIn } from '../../auth/index.ts'

/** What a person allowed before, that an equal question need not be asked again. */
export interface EarlierConsent {
  readonly agentId: string
  /** Seconds that are left of it. The new grant ends when the earlier one would. */
  readonly seconds: (nowMs: number) => number
}

/**
 * An earlier consent of this person for the same client, redirect URI and resource. Only for a client that is known by
 * more than its own word and is sent the answer over https at a host that is its own: whoever listens on a loopback
 * port, or has claimed a scheme, can name any client, and would get tokens by the mere visit of a page
 * (RFC 8252 section 8.6, RFC 9700 section 4.11). Not where the client asked that the person be asked, nor where several
 * agents were chosen before: which one is the person's to say.
 */
export function findEarlierConsent(
  question: ConsentQuestion,
  person: SignedIn,
  registry: Pick<IdentityRegistry, 'listActiveCredentials'>,
): EarlierConsent | null {
  if (question.mustAsk || !isKnown(question)) return null
  const given = registry.listActiveCredentials('grant').filter(({ credential: { details }, principal }) => {
    if (principal.ownerId !== person.userId || details.userId !== person.userId) return false
    if (details.clientId !== question.client.id || details.clientSource !== question.client.source) return false
    return details.redirectUri === question.redirectUri && details.resource === question.resource
  })
  const agents = new Set(given.map(({ principal }) => principal.id))
  const [agentId] = agents
  if (agentId === undefined || agents.size > 1) return null
  const endsMs = Math.max(...given.map(({ credential }) => credential.expiresAtMs ?? 0))
  return { agentId, seconds: (nowMs) => Math.max(1, Math.floor((endsMs - nowMs) / 1000)) }
}

function isKnown({ client, redirectUri }: ConsentQuestion): boolean {
  const { protocol, host } = new URL(redirectUri)
  if (protocol !== 'https:') return false
  return client.source === 'operator' || (client.source === 'document' && client.host === host)
}
