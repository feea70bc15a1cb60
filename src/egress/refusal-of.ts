import type { FetchRefusal } from './guarded-fetch.ts'

const certificateCodes = /CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO_|ERR_SSL|SIGNATURE/

/** What an error of a connection means. */
export function refusalOf(error: unknown): FetchRefusal {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (certificateCodes.test(code)) return 'certificate-refused'
  if (code === 'UND_ERR_ABORTED' || (error instanceof Error && error.name === 'AbortError')) return 'aborted'
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'timeout'
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code.startsWith('HPE_')) return 'malformed'
  return 'unreachable'
}
