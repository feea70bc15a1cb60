import { runTool } from '../executor/run-tool.ts'
import { explainJailFailure, type JailFailure } from './explain-jail-failure.ts'
import { machineFacts } from './machine-facts.ts'

/**
 * Makes a real jail as ours are made, with every namespace and a /proc of its own, and runs `true` in it. `null` where
 * that worked. `as` is for a caller that is root. Says nothing of what the jail holds; the self-test does.
 */
export async function tryJail(
  bubblewrapPath: string,
  as: { readonly uid?: number; readonly gid?: number } = {},
): Promise<JailFailure | null> {
  const args = [
    '--unshare-all',
    '--unshare-user',
    // Without it the helper that bubblewrap leaves as the first process outlives bubblewrap.
    '--as-pid-1',
    '--ro-bind',
    '/usr',
    '/usr',
    '--symlink',
    'usr/lib',
    '/lib',
    '--symlink',
    'usr/lib64',
    '/lib64',
    '--proc',
    '/proc',
    '/usr/bin/true',
  ]
  try {
    await runTool(bubblewrapPath, args, as)
    return null
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- the answer is a refusal: why there is no jail
  } catch (error) {
    return explainJailFailure(error instanceof Error ? error.message : String(error), machineFacts())
  }
}
