import type { ConnectClient, ConnectScope, Endpoint } from './connect-client.ts'
import type { OfferedSignIn } from './offered-sign-in.ts'

/** What the person has to know or do once the file is written. */
export function signInNotes(
  client: ConnectClient,
  endpoint: Endpoint,
  scope: ConnectScope,
  offered: OfferedSignIn,
): string[] {
  const { credential } = endpoint
  const next = client.next(endpoint)
  switch (credential.kind) {
    case 'key-in-file':
      return [
        `The file holds the API key: whoever reads it can act as that agent.${scope === 'project' ? ' Keep it out of version control.' : ''}`,
        next,
      ]
    case 'key-reference':
      return client.listed === undefined
        ? [`Set ${credential.variable} in the environment that ${client.title} is started in.`, next]
        : [`${client.title} asks for the key when it first connects.`, next]
    case 'oauth':
      return [...oauthNotes(client, credential.clientId, offered), next]
  }
}

function oauthNotes(client: ConnectClient, clientId: string | null, offered: OfferedSignIn): string[] {
  if (clientId !== null) return []
  if (offered.kind === 'unknown') return ['The server could not be asked whether it takes this client without more.']
  if (offered.kind === 'none')
    return ['The server has no authorization server: this client needs an API key. Run this again with --api-key.']
  if (client.registration === 'metadata-document' && offered.metadataDocuments) return []
  if (client.registration !== 'none' && offered.registration) return []
  const beforehand =
    client.redirectUris === null
      ? 'or use an API key (--api-key)'
      : `or add it with "mcpworks client add '${client.title}' ${client.redirectUris.map((uri) => `-r ${uri}`).join(' ')}" and give the id here with --client-id; or use an API key (--api-key)`
  return [
    `${client.title} wants to register itself, and this server does not let clients do so: set auth.server.registration to loopback, ${beforehand}.`,
  ]
}
