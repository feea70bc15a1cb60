import type { IncomingMessage, ServerResponse } from 'node:http'
import { operations, type Operation } from '../contract/index.ts'
import type { ErrorCode, Scope } from '../kernel/index.ts'
import type { RequestHead } from './request-head.ts'

/** Who may use a route. There is no default: a route without this does not compile. */
export type Access = { readonly kind: 'public' } | { readonly kind: 'credential'; readonly scope: Scope }

/** A request to a part that answers strangers by rules of its own: metadata, authorization server, sign-in. */
export interface MountedRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  readonly parameters: Readonly<Record<string, string>>
  /** Origin under which clients reach this server, without a slash at the end. */
  readonly publicUrl: string
  /** Of the client, as far as trusted proxies tell. */
  readonly address: string
  /** SHA-256 of the client's certificate in base64url, where TLS ends here and it proved one; `null` otherwise. */
  readonly certificateSha256: string | null
  /** Records a refusal as one at the door. */
  readonly refused: (code: ErrorCode, reason: string) => void
}

/** A part mounted at a route. It reads the body itself, within its own bounds. */
export type MountedPart = (request: MountedRequest) => Promise<void>

/** One route of the server. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path with `{param}` segments. */
  readonly path: string
  /** Parameter, the last one, that is one segment or several. */
  readonly spans?: string
  readonly access: Access
  readonly serve:
    | { readonly kind: 'health' }
    | { readonly kind: 'mcp' }
    | { readonly kind: 'mounted'; readonly part: MountedPart }
    | { readonly kind: 'operation'; readonly operation: Operation }
}

/** The routes that are always there; parts of the server bring their own besides. What is not here is answered 401 to strangers and 404 to everybody else. */
export const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/mcp/{namespace}',
    access: { kind: 'credential', scope: 'mcp' },
    serve: { kind: 'mcp' },
  },
  { method: 'GET', path: '/healthz', access: { kind: 'public' }, serve: { kind: 'health' } },
  ...Object.values<Operation>(operations).map((operation): Route => ({
    method: operation.method,
    path: operation.path,
    ...(operation.spans === undefined ? {} : { spans: operation.spans }),
    access: { kind: 'credential', scope: 'admin' },
    serve: { kind: 'operation', operation },
  })),
]

/** The route of a request, or which methods the path takes; an empty list where there is no such path. */
export type RouteMatch =
  | { readonly found: true; readonly route: Route; readonly parameters: Readonly<Record<string, string>> }
  | { readonly found: false; readonly methods: readonly string[] }

/** Looks routes up. */
export type RouteTable = (method: string, path: string) => RouteMatch

const segment = '([A-Za-z0-9_.-]{1,200})'
const segments = '([A-Za-z0-9_.-]{1,200}(?:/[A-Za-z0-9_.-]{1,200}){0,7})'

/**
 * Compiles routes to a look-up. Segments are compared as sent and never decoded, so that `%2e%2e` or `%2f` name nothing.
 * Parameters are one segment of letters, digits, `-`, `_` and `.`; the one that a route says so of is up to eight.
 */
export function createRouteTable(table: readonly Route[]): RouteTable {
  const compiled = table.map((route) => ({
    route,
    names: [...route.path.matchAll(/\{([a-zA-Z]+)\}/g)].map((match) => match[1] as string),
    pattern: new RegExp(
      `^${route.path
        .replaceAll('.', '\\.')
        .replaceAll(/\{([a-zA-Z]+)\}/g, (_, name: string) => (name === route.spans ? segments : segment))}$`,
    ),
  }))
  return (method, path) => {
    const methods: string[] = []
    for (const { route, names, pattern } of compiled) {
      const match = pattern.exec(path)
      if (match === null) continue
      if (route.method === method) {
        const parameters = Object.fromEntries(names.map((name, index) => [name, match[index + 1] as string]))
        return { found: true, route, parameters }
      }
      methods.push(route.method)
    }
    return { found: false, methods }
  }
}
