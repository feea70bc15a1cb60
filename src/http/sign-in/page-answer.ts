import type { ServerResponse } from 'node:http'
import { html, type Html } from './html.ts'

/** What a page answers. `cookies` are `Set-Cookie` values; without `scripts` it runs none. */
export type PageAnswer = { readonly cookies?: readonly string[]; readonly scripts?: false } & (
  | {
      readonly kind: 'page'
      readonly status: number
      readonly title: string
      readonly body: Html
      readonly onward?: string
    }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'json'; readonly status: number; readonly value: unknown }
)

/**
 * Nothing but what this server brings itself, in no frame, kept nowhere. `same-origin` as referrer policy and not
 * `no-referrer`, because browsers would then send `Origin: null` with forms.
 */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const

const withoutScripts = headers['Content-Security-Policy'].replace("script-src 'self'", "script-src 'none'")

/** Sends it. Does nothing where an answer was begun already. */
export function sendPage(response: ServerResponse, answer: PageAnswer): void {
  if (response.headersSent || response.destroyed) return
  if (answer.cookies !== undefined && answer.cookies.length > 0) response.setHeader('Set-Cookie', [...answer.cookies])
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (answer.scripts === false) response.setHeader('Content-Security-Policy', withoutScripts)
  switch (answer.kind) {
    case 'redirect':
      response.writeHead(303, { Location: answer.to, 'Content-Length': 0 })
      response.end()
      return
    case 'json':
      return sendText(response, answer.status, 'application/json', JSON.stringify(answer.value))
    case 'page':
      return sendText(response, answer.status, 'text/html; charset=utf-8', layout(answer).text)
  }
}

function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  const bytes = Buffer.from(text)
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length })
  response.end(bytes)
}

/** `onward` goes on by itself: a redirect after a form would be held against `form-action` all the way. */
function layout({ title, body, onward, scripts }: Extract<PageAnswer, { kind: 'page' }>): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${onward !== undefined && html`<meta http-equiv="refresh" content="0;url=${onward}" />`}
        <title>${title} - MCPWorks</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/sign-in/style.css" />
        ${scripts !== false && html`<script src="/sign-in/passkey.js" defer></script>`}
      </head>
      <body>
        <header><span class="mark" aria-hidden="true"></span>MCPWorks</header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `
}
