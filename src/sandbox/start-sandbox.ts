import { join, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { McpworksError, sha256 } from '../kernel/index.ts'
import type { SandboxConfig } from './config.ts'
import type { ExecutorChange } from './executor-change.ts'
import type { ExecutorSettings } from './protocol/executor-messages.ts'
import { lowered } from './lowered.ts'
import { RestartingSandbox } from './restarting-sandbox.ts'
import type { Sandbox } from './sandbox.ts'

/**
 * Starts the executor process, has it test a real jail, and returns the sandbox. There is no fallback: without an engine,
 * or with one check of the self-test failed, there is no sandbox.
 * Nothing else of this process is started later; an executor that is lost is started again, with the same self-test, and
 * `onChange` is told.
 * @throws McpworksError `sandbox_unavailable` with what is wrong and what to type
 */
export async function startSandbox(
  config: SandboxConfig,
  onChange: (change: ExecutorChange) => void = () => {},
): Promise<Sandbox> {
  const { ceilings, strict, ...rest } = config
  const settings: ExecutorSettings = {
    ...rest,
    bunPath: config.bunPath ?? installedBun(),
    nodePath: config.nodePath ?? process.execPath,
  }
  return await RestartingSandbox.start({
    settings,
    bounds: { ceilings, strict: lowered(strict, ceilings) },
    noProfile: sha256(JSON.stringify(settings)),
    onChange,
  })
}

/** The Bun that came with the product for this processor. */
function installedBun(): string {
  const name = `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : process.arch}`
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))), 'bin', 'bun')
  } catch (cause) {
    throw new McpworksError('sandbox_unavailable', {
      message: `No Bun for TypeScript functions: the package ${name} is not installed. Type: npm install, or set sandbox.bunPath.`,
      cause,
    })
  }
}
