import type { ActOutcome } from '../../src/gateway/index.ts'
import { pngPixel } from './fixture-content.ts'

/** Reads a fixture resource. */
export function actResource(uri: string): ActOutcome {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
  if (id !== undefined) {
    const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
    return { status: 'ok', result: { contents: [{ uri, mimeType: 'application/json', text }] } }
  }
  if (uri === 'test://static-binary') {
    return { status: 'ok', result: { contents: [{ uri, mimeType: 'image/png', blob: pngPixel }] } }
  }
  const text = 'This is the content of the static text resource.'
  return { status: 'ok', result: { contents: [{ uri, mimeType: 'text/plain', text }] } }
}
