import type { KoaContextWithOIDC } from 'oidc-provider'
import type { JsonObject } from '../../src/kernel/index.ts'
import { startForeignIssuer, type ForeignIssuer } from './foreign-issuer.ts'

/** An OpenID Connect issuer at which somebody is always signed in: whoever the test says. */
export interface IssuerOfPeople {
  readonly issuer: ForeignIssuer
  /** `sub` and the other claims of whoever is signed in there. */
  person: { readonly sub: string; readonly claims: JsonObject }
  /** Registers the address to come back to. */
  register(redirectUri: string): Promise<void>
  /** What the browser does at the issuer: answers the address that it is sent back to. */
  visit(authorizationUrl: string): Promise<URL>
}

/** Starts it: a second `oidc-provider` over real HTTP. */
export async function startIssuerOfPeople(): Promise<IssuerOfPeople> {
  const redirectUris: string[] = []
  const clients = [
    {
      client_id: 'mcpworks',
      client_secret: 'client-secret-of-the-test-which-is-long',
      redirect_uris: redirectUris,
      grant_types: ['authorization_code'],
      response_types: ['code' as const],
    },
  ]
  let person: IssuerOfPeople['person'] = { sub: 'nobody', claims: {} }
  const registered: typeof clients = []
  const issuer = await startForeignIssuer({
    clients: registered,
    configuration: {
      scopes: ['openid', 'profile', 'email'],
      claims: { openid: ['sub', 'groups'], profile: ['preferred_username'], email: ['email', 'email_verified'] },
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      cookies: { keys: ['of-the-test'] },
      findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, ...person.claims }) }),
      async loadExistingGrant(ctx: KoaContextWithOIDC) {
        const { provider, session, client } = ctx.oidc
        const grant = new provider.Grant({
          ...(client === undefined ? {} : { clientId: client.clientId }),
          ...(session?.accountId === undefined ? {} : { accountId: session.accountId }),
        })
        grant.addOIDCScope('openid profile email')
        await grant.save()
        return grant
      },
      interactions: {
        // Answers the question by itself and goes on at once.
        async url(_ctx, interaction) {
          interaction.result = { login: { accountId: person.sub } }
          await interaction.save(60)
          return interaction.returnTo
        },
      },
    },
  })
  return {
    issuer,
    get person() {
      return person
    },
    set person(next) {
      person = next
    },
    async register(redirectUri) {
      redirectUris.push(redirectUri)
      if (registered.length === 0) registered.push(...clients)
      await issuer.rotateKeys({ keepOld: true })
    },
    async visit(authorizationUrl) {
      const jar = new Map<string, string>()
      let url = new URL(authorizationUrl)
      while (url.origin === issuer.origin) {
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
        const answer = await fetch(url, { redirect: 'manual', headers: { cookie } })
        for (const line of answer.headers.getSetCookie()) {
          const [name = '', value = ''] = line.split(';', 1)[0]?.split('=') ?? []
          jar.set(name, value)
        }
        const location = answer.headers.get('location')
        if (location === null) throw new Error(`the issuer answered ${answer.status}: ${await answer.text()}`)
        url = new URL(location, url)
      }
      return url
    },
  }
}
