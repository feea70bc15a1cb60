import { readFileSync } from 'node:fs'
import type { MountedPart } from '../routes.ts'
import { abandonBody } from '../respond.ts'

/** A file of this folder, read once, the same for everybody. */
export function asset(file: 'style.css' | 'passkey.js'): MountedPart {
  const bytes = readFileSync(new URL(file, import.meta.url))
  const type = file.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8'
  return async ({ request, response }) => {
    abandonBody(request, response)
    response.writeHead(200, {
      'Content-Type': type,
      'Content-Length': bytes.length,
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      'Cross-Origin-Resource-Policy': 'same-origin',
    })
    response.end(bytes)
  }
}
