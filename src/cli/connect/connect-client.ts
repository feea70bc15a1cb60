import type { JsonObject, JsonValue } from '../../kernel/index.ts'

/** Whose configuration it is: that of the project in the current directory, or the user's own. */
export type ConnectScope = 'project' | 'user'

/** How the client proves at the endpoint which agent it is. */
export type ClientCredential =
  /** Consent in the browser. `clientId` only where the client was registered beforehand. */
  | { readonly kind: 'oauth'; readonly clientId: string | null }
  /** An API key that the client takes from an environment variable, or asks for, whenever it needs it. */
  | { readonly kind: 'key-reference'; readonly variable: string }
  /** An API key in the file itself. */
  | { readonly kind: 'key-in-file'; readonly apiKey: string }

/** What the client's configuration is to hold. */
export interface Endpoint {
  /** Name of the entry. */
  readonly name: string
  readonly namespace: string
  /** URL of the namespace endpoint. */
  readonly url: string
  readonly credential: ClientCredential
}

/** A value at a place in the file; `undefined` where nothing is to be there. */
export interface Setting {
  readonly path: readonly string[]
  readonly value: JsonValue | undefined
}

/** An element of a list that is known by its `id`: added, replaced, or taken away where `value` is `undefined`. */
export interface ListedSetting {
  readonly list: string
  readonly id: string
  readonly value: JsonObject | undefined
}

/** Directories that configuration files lie in. */
export interface Places {
  readonly home: string
  readonly project: string
  readonly platform: 'linux' | 'darwin'
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A configuration file and the directory that it may not leave by symbolic links. */
export interface ConfigPlace {
  readonly path: string
  readonly root: string
}

/** What we know of one MCP client. */
export interface ConnectClient {
  readonly name: string
  readonly title: string
  /** JSON with comments, or TOML. */
  readonly format: 'jsonc' | 'toml'
  /** Where its configuration lies; `null` where it has none of that scope. */
  place(scope: ConnectScope, places: Places): ConfigPlace | null
  /** Member that holds the entries. */
  readonly servers: string
  /** Member of an entry that holds the URL. */
  readonly urlMember: string
  /** Members of an entry as they have to be, below the entry. Everything else in it is left alone. */
  settings(endpoint: Endpoint): readonly Setting[]
  /** What has to be elsewhere in the file, besides the entry. */
  listed?(endpoint: Endpoint): readonly ListedSetting[]
  /**
   * How it comes by a client id: `metadata-document` brings its own (client id metadata documents), `dynamic` needs
   * registration at the server (RFC 7591), `none` does no OAuth.
   */
  readonly registration: 'metadata-document' | 'dynamic' | 'none'
  /** Redirect URIs that a client registered beforehand has to have; `null` where it cannot be told its client id. */
  readonly redirectUris: readonly string[] | null
  /** Whether an API key may stand in its file. */
  readonly takesKeyInFile: boolean
  /** What the person does next. */
  readonly next: (endpoint: Endpoint) => string
}
