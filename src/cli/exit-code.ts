/** Exit codes of every command. Scripts may rely on them. */
export const exitCode = {
  ok: 0,
  /** What was asked for was refused or failed: a denied call, a log that does not verify, policies with mistakes. */
  failed: 1,
  /** The command line or the configuration has a mistake; nothing was done. */
  usage: 2,
  /** No server answers. */
  unreachable: 3,
  /** A bug. */
  internal: 70,
} as const

/** One of the exit codes. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode]
