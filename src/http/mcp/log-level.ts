/** Levels of log messages (RFC 5424), least severe first. */
export const logLevels: readonly string[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
]

/** Whether a message of `level` is wanted by someone who asked for `threshold` and above; `null` asks for none. */
export function isLoggable(level: string, threshold: string | null): boolean {
  return threshold !== null && logLevels.indexOf(level) >= logLevels.indexOf(threshold)
}
