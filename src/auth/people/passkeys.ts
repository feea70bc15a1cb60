import { hash } from 'node:crypto'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { decodeAttestationObject } from '@simplewebauthn/server/helpers'
import { isJsonObject, type Clock, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { BrowserOrigin } from './browser-origin.ts'
import type { StoredPasskey } from './factor-store.ts'
import type { Factors } from './factors.ts'
import { createOnce } from './once.ts'

/** Why a ceremony came to nothing: for the record, in our words. */
export interface CeremonyRefusal {
  readonly ok: false
  readonly reason: string
}

/** The two ceremonies of WebAuthn (sections 7.1 and 7.2). User verification is required in both. */
export interface Passkeys {
  /** Options for the browser. `visit` is the secret of the browser that asks; the answer must come from the same one. */
  creationOptions(user: { id: string }, visit: string, origin: BrowserOrigin): Promise<JsonObject>
  /** The new passkey, not stored yet. */
  verifyCreation(
    user: { id: string },
    answer: JsonValue | undefined,
    visit: string,
    origin: BrowserOrigin,
  ): Promise<{ readonly ok: true; readonly passkey: StoredPasskey } | CeremonyRefusal>
  /** The same for everybody: whose passkeys there are is not told. */
  requestOptions(visit: string, origin: BrowserOrigin): Promise<JsonObject>
  /** Whose passkey it is. Its counter is stored: of two answers with one counter value one is refused. */
  verifyRequest(
    answer: JsonValue | undefined,
    visit: string,
    origin: BrowserOrigin,
  ): Promise<{ readonly ok: true; readonly userId: string; readonly passkeyId: string } | CeremonyRefusal>
}

interface Challenge {
  readonly visit: string
  readonly purpose: string
}

/** EdDSA, ES256, RS256 (RFC 9053, RFC 8812). */
const algorithms = [-8, -7, -257]

/** Makes it. Challenges are kept in memory for five minutes and are good once. */
export function createPasskeys(factors: Factors, clock: Clock): Passkeys {
  const challenges = createOnce<Challenge>(clock, 300, 10_000)
  // What the browser sends back is base64url of the bytes that it was given, and those are the key of the challenge.
  const challengeFor = (visit: string, purpose: string) => Buffer.from(challenges.put({ visit, purpose }), 'base64url')
  const isOurs = (visit: string, purpose: string) => (challenge: string) => {
    const found = challenges.take(challenge)
    return found !== null && found.visit === visit && found.purpose === purpose
  }

  return {
    async creationOptions({ id }, visit, { passkeyId }) {
      const options = await generateRegistrationOptions({
        rpName: 'MCPWorks',
        rpID: passkeyId ?? '',
        userName: id,
        // The same for all passkeys of a user, so that an authenticator replaces its own; no name in it.
        userID: Uint8Array.from(hash('sha256', `mcpworks user ${id}`, 'buffer')),
        challenge: Uint8Array.from(challengeFor(visit, `create ${id}`)),
        attestationType: 'none',
        supportedAlgorithmIDs: algorithms,
        excludeCredentials: factors
          .of(id)
          .passkeys.map((passkey) => ({ id: passkey.id, transports: [...passkey.transports] })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
      return { ...options } as unknown as JsonObject
    },
    async verifyCreation({ id }, answer, visit, { origin, passkeyId }) {
      const response = creationAnswer(answer)
      if (response === null || passkeyId === null) return { ok: false, reason: 'not of the form of a new passkey' }
      try {
        if (hasCertificates(response))
          return { ok: false, reason: 'a passkey with an attestation that nobody asked for' }
        const verified = await verifyRegistrationResponse({
          response,
          expectedChallenge: isOurs(visit, `create ${id}`),
          expectedOrigin: origin,
          expectedRPID: passkeyId,
          requireUserVerification: true,
          supportedAlgorithmIDs: algorithms,
        })
        if (!verified.verified) return { ok: false, reason: 'a new passkey whose signature is wrong' }
        const { credential, credentialBackedUp } = verified.registrationInfo
        const passkey: StoredPasskey = {
          id: credential.id,
          userId: id,
          label: '',
          publicKey: credential.publicKey,
          counter: credential.counter,
          relyingParty: passkeyId,
          transports: (credential.transports ?? []).filter((name) => /^[a-z-]{1,20}$/.test(name)).slice(0, 10),
          backedUp: credentialBackedUp,
          createdAtMs: clock.nowMs(),
          lastUsedAtMs: null,
        }
        return { ok: true, passkey }
      } catch {
        return { ok: false, reason: 'a new passkey with a wrong challenge, origin, host or flag' }
      }
    },
    async requestOptions(visit, { passkeyId }) {
      const options = await generateAuthenticationOptions({
        rpID: passkeyId ?? '',
        challenge: Uint8Array.from(challengeFor(visit, 'get')),
        userVerification: 'required',
      })
      return { ...options } as unknown as JsonObject
    },
    async verifyRequest(answer, visit, { origin, passkeyId }) {
      const response = requestAnswer(answer)
      if (response === null || passkeyId === null) return { ok: false, reason: 'not of the form of a passkey' }
      const passkey = factors.findPasskey(response.id)
      if (passkey === null || passkey.relyingParty !== passkeyId) return { ok: false, reason: 'an unknown passkey' }
      try {
        const { verified, authenticationInfo } = await verifyAuthenticationResponse({
          response,
          expectedChallenge: isOurs(visit, 'get'),
          expectedOrigin: origin,
          expectedRPID: passkeyId,
          credential: {
            id: passkey.id,
            publicKey: Uint8Array.from(passkey.publicKey),
            counter: passkey.counter,
            transports: [...passkey.transports],
          },
          requireUserVerification: true,
        })
        if (!verified) return { ok: false, reason: 'a passkey whose signature is wrong' }
        const { newCounter, credentialBackedUp } = authenticationInfo
        if (!(await factors.usePasskey(passkey.id, { counter: newCounter, backedUp: credentialBackedUp })))
          return { ok: false, reason: 'a passkey whose counter was used: there may be a copy' }
        return { ok: true, userId: passkey.userId, passkeyId: passkey.id }
      } catch {
        return { ok: false, reason: 'a passkey with a wrong challenge, origin, host, flag or counter' }
      }
    },
  }
}

/**
 * Whether an attestation brings certificates. We ask for none; the library would fetch revocation lists from addresses
 * that stand in them. @throws what decoding throws
 */
function hasCertificates({ response }: RegistrationResponseJSON): boolean {
  const decoded = decodeAttestationObject(Uint8Array.from(Buffer.from(response.attestationObject, 'base64url')))
  const format = decoded.get('fmt')
  return !(format === 'none' || (format === 'packed' && decoded.get('attStmt').get('x5c') === undefined))
}

/** The members of a PublicKeyCredential that are used, and no others. */
function creationAnswer(answer: JsonValue | undefined): RegistrationResponseJSON | null {
  const base = credentialOf(answer)
  if (base === null) return null
  const { clientDataJSON, attestationObject, transports } = base.response
  if (typeof clientDataJSON !== 'string' || typeof attestationObject !== 'string') return null
  return {
    ...base,
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON,
      attestationObject,
      transports: Array.isArray(transports) ? transports.filter((name) => typeof name === 'string') : [],
    },
  }
}

function requestAnswer(answer: JsonValue | undefined): AuthenticationResponseJSON | null {
  const base = credentialOf(answer)
  if (base === null) return null
  const { clientDataJSON, authenticatorData, signature } = base.response
  if (typeof clientDataJSON !== 'string' || typeof authenticatorData !== 'string' || typeof signature !== 'string')
    return null
  return {
    ...base,
    type: 'public-key',
    clientExtensionResults: {},
    response: { clientDataJSON, authenticatorData, signature },
  }
}

function credentialOf(answer: JsonValue | undefined): { id: string; rawId: string; response: JsonObject } | null {
  if (!isJsonObject(answer) || !isJsonObject(answer.response)) return null
  const { id, rawId, type, response } = answer
  if (typeof id !== 'string' || typeof rawId !== 'string' || type !== 'public-key') return null
  return { id, rawId, response }
}
