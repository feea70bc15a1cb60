import { pino, type Logger } from 'pino'
import type { Config } from '../config/index.ts'

/** Structured lines on stderr. */
export type Log = Logger

/** A logger that takes out what must never be logged, should a caller pass it by mistake. */
export function createLog(level: Config['log']['level']): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['authorization', '*.authorization', 'headers', '*.headers', 'apiKey', '*.apiKey', 'secret', '*.secret'],
        censor: '(redacted)',
      },
    },
    pino.destination({ fd: 2, sync: true }),
  )
}
