import { hash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { markup, type Markup } from './markup.ts'

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
h1{font-size:1.4rem}fieldset{border:1px solid #bbb;border-radius:6px;margin:1rem 0;padding:.8rem 1rem}
dt{font-weight:600;margin-top:.6rem}dd{margin:0;overflow-wrap:anywhere}.warn{background:#fff4d6;padding:.6rem .8rem;border-radius:6px}
.tools{color:#444;font-size:.9rem;margin:0 0 .6rem 1.6rem;overflow-wrap:anywhere}label{font-weight:600}
button{font:inherit;padding:.5rem 1.2rem;margin-right:.8rem;border-radius:6px;border:1px solid #444;background:#fff}
button.allow{background:#174ea6;color:#fff;border-color:#174ea6}input[type=text],select{font:inherit;padding:.2rem}`

const styleHash = hash('sha256', style, 'base64')

/** A whole page without scripts, images or anything from elsewhere. */
export function page(title: string, body: Markup): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${{ html: style }}</style>
</head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`.html
}

/** The page for a request that ends here: the browser is not sent to a client that was not checked. */
export function errorPage(error: string, description: string): string {
  return page(
    'This cannot be done',
    markup`<p>${description === '' ? 'The request is not good.' : description}</p>
<p>Code: ${error}. Nothing was given to the application. Go back to it and start again; if that does not help, tell its
maker the code.</p>`,
  )
}

/**
 * Sends a page that no other page can frame, that loads and runs nothing, and that is kept nowhere.
 * `formTargets` are where its forms may lead, redirects included: browsers hold those to the same list.
 */
export function sendPage(
  response: ServerResponse,
  status: number,
  text: string,
  formTargets: readonly string[] = [],
): void {
  if (response.headersSent || response.destroyed) return
  const bytes = Buffer.from(text)
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      "base-uri 'none'",
      `form-action ${formTargets.length === 0 ? "'none'" : formTargets.join(' ')}`,
      "frame-ancestors 'none'",
    ].join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    // With `no-referrer` browsers send `Origin: null` with forms.
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  })
  response.end(bytes)
}
