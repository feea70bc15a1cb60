import type { ServerResponse } from 'node:http'
import { markup, type Markup } from '../authorization-server/markup.ts'

/**
 * Sends a page that runs nothing, loads nothing, is framed by nobody and tells no other site where it was left from.
 * A link on it goes somewhere else only by a person's click. `same-origin` as referrer policy, because with `no-referrer`
 * browsers send `Origin: null` with forms.
 */
export function sendPage(response: ServerResponse, status: number, title: string, body: Markup): void {
  if (response.headersSent || response.destroyed) return
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title} - MCPWorks</title>
      </head>
      <body>
        <h1>${title}</h1>
        ${body}
      </body>
    </html> `
  const bytes = Buffer.from(page.html)
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': bytes.length,
    'Content-Security-Policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  })
  response.end(bytes)
}
