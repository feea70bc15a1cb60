import { execFile } from 'node:child_process'

const timeoutMs = 10_000

/**
 * Runs a program of the host to its end, without a shell and with an empty environment, and returns its stdout.
 * `as` is for a caller that is root. For questions to trusted programs only; bounded at 1 MiB of output and 10 s.
 * @throws Error where it cannot be started, fails, or takes too long
 */
export async function runTool(
  path: string,
  args: readonly string[],
  as: { readonly uid?: number; readonly gid?: number } = {},
): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile(
      path,
      args,
      { ...as, env: {}, cwd: '/', timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${path} failed: ${stderr.trim().slice(0, 500) || error.message}`, { cause: error }))
      },
    )
  })
}
