import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createJwsSigner } from '../../support/jws-signer.ts'
import { startTokenDoor, type TokenDoor } from '../../support/token-door.ts'
import { addCredential } from '../../support/token-door.ts'
import { startForeignIssuer, type ForeignIssuer } from '../../support/foreign-issuer.ts'

// A4 and P5 of design/threats.md: whatever stands in Authorization and DPoP, nobody enters by chance and nothing breaks.

let door: TokenDoor
let issuer: ForeignIssuer
beforeAll(async () => {
  issuer = await startForeignIssuer()
  door = await startTokenDoor({ issuers: [{ issuer: issuer.issuer, networks: ['127.0.0.0/8'] }] })
  await addCredential(door.registry, 'binding', { issuer: issuer.issuer, match: { sub: 'workload' } })
})
afterAll(async () => {
  await door.close()
  await issuer.close()
})

const key = createJwsSigner()
const runs = { numRuns: 300 }
/** What Node lets a client put into a header. */
const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((c) => c !== 0x7f)
    .map((c) => String.fromCharCode(c)),
  maxLength: 300,
})
const json = fc.jsonValue({ maxDepth: 3 })

async function isRefused(authorization: string, dpop: string | null = null): Promise<boolean> {
  const { status, text } = await door.call(authorization, dpop)
  return (status === 400 || status === 401) && !text.includes('said') && door.harness.incidents.length === 0
}

/** What the property does not hold for; `null` where it held for everything that was tried, and enough was. */
async function counterexample<Values>(property: fc.IRawProperty<Values>, parameters: fc.Parameters<Values>) {
  const { failed, counterexample, numRuns, numSkips } = await fc.check(property, parameters)
  return failed ? { counterexample, numRuns, numSkips } : null
}

describe('the door', () => {
  it('takes a good token and a good proof, so that what follows can fail', async () => {
    const token = door.token({ cnf: { jkt: key.thumbprint } })
    expect((await door.call(`DPoP ${token}`, door.proof(key, token))).status).toBe(200)
    expect((await door.call(`Bearer ${issuer.sign(`${door.url}/mcp/demo`)}`)).status).toBe(200)
  })

  it('refuses any text in Authorization and DPoP', async () => {
    const scheme = fc.constantFrom('', 'Bearer ', 'DPoP ', 'Basic ', 'Bearer mcpw_', 'bearer  ')
    expect(
      await counterexample(
        fc.asyncProperty(scheme, headerText, fc.option(headerText), (prefix, text, dpop) =>
          isRefused(`${prefix}${text}`, dpop),
        ),
        runs,
      ),
    ).toBeNull()
  })

  it('refuses a good token with any byte changed', async () => {
    const tokens = [door.token(), issuer.sign(`${door.url}/mcp/demo`)]
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/~'
    expect(
      await counterexample(
        fc.asyncProperty(
          fc.constantFrom(...tokens),
          fc.nat(),
          fc.constantFrom(...letters.split('')),
          async (token, at, letter) => {
            const index = at % token.length
            const changed = `${token.slice(0, index)}${letter}${token.slice(index + 1)}`
            // The last character of a part has bits that mean nothing.
            fc.pre(!sameBytes(changed, token))
            return isRefused(`Bearer ${changed}`)
          },
        ),
        runs,
      ),
    ).toBeNull()
  })

  it('refuses a token that is cut, doubled or put together from parts of others', async () => {
    const one = door.token().split('.')
    const other = issuer.sign(`${door.url}/mcp/demo`).split('.')
    expect(
      await counterexample(
        fc.asyncProperty(fc.array(fc.constantFrom(...one, ...other, '', 'e30'), { maxLength: 6 }), async (parts) => {
          const token = parts.join('.')
          fc.pre(token !== one.join('.') && token !== other.join('.'))
          return isRefused(`Bearer ${token}`)
        }),
        runs,
      ),
    ).toBeNull()
  })

  it('refuses a token with any JSON in a claim that it needs, well signed', async () => {
    const name = fc.constantFrom('iss', 'aud', 'sub', 'exp', 'client_id', 'jti', 'mcpworks_credential', 'cnf', 'act')
    expect(
      await counterexample(
        fc.asyncProperty(name, json, async (claim, value) => {
          fc.pre(!isGood(claim, value))
          return isRefused(`Bearer ${door.token({ [claim]: value as never })}`)
        }),
        runs,
      ),
    ).toBeNull()
  })

  it('refuses a token with any JSON in its header, and never breaks', async () => {
    const name = fc.constantFrom('alg', 'kid', 'typ', 'crit', 'b64')
    expect(
      await counterexample(
        fc.asyncProperty(name, json, async (member, value) => {
          if (!(await isRefused(`Bearer ${door.token({}, { [member]: value as never })}`))) return false
          fc.pre(member !== 'kid')
          return isRefused(`Bearer ${issuer.sign(`${door.url}/mcp/demo`, {}, { [member]: value as never })}`)
        }),
        { numRuns: 150 },
      ),
    ).toBeNull()
  })

  it('refuses a proof with any JSON in a claim or header that it needs', async () => {
    const token = door.token({ cnf: { jkt: key.thumbprint } })
    const place = fc.constantFrom('claims', 'header')
    expect(
      await counterexample(
        fc.asyncProperty(place, fc.nat(), json, async (where, at, value) => {
          const names = where === 'claims' ? ['htm', 'htu', 'iat', 'ath'] : ['alg', 'typ', 'jwk', 'crit']
          const name = names[at % names.length] ?? 'htm'
          return isRefused(`DPoP ${token}`, door.proof(key, token, { [where]: { [name]: value } }))
        }),
        runs,
      ),
    ).toBeNull()
  })
})

/** `sub` as any text is another principal; a number can be a time that is to come. */
function isGood(claim: string, value: unknown): boolean {
  if (claim === 'exp') return typeof value === 'number' && value * 1000 > Date.now()
  if (claim === 'client_id' || claim === 'jti') return typeof value === 'string' && value !== ''
  return false
}

function sameBytes(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) =>
    text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex')),
  )
  return /^[A-Za-z0-9_.-]+$/.test(one) && JSON.stringify(left) === JSON.stringify(right)
}
