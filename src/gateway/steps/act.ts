import { McpworksError } from '../../kernel/index.ts'
import type { ForcedProfile } from '../../policy/index.ts'
import type { ActOutcome, InvocationEvents } from '../backend.ts'
import type { IdentifiedCall } from '../call.ts'
import type { CatalogueEntry } from '../catalogue.ts'
import { depthOf, type InnerCalls } from '../inner-calls.ts'
import type { GatewayPorts } from '../ports.ts'
import { isWithdrawn } from '../withdrawals.ts'

/** How the act ended, or that the backend threw: a McpworksError if nothing was run, else nobody knows what it did. */
export type Acted = ActOutcome | { readonly status: 'broken'; readonly error: unknown }

/**
 * Runs what was decided on: the entry's own backend, or the management operations where there is no entry.
 * Where a policy forces a sandbox profile, nothing is run that runs no code in a sandbox here.
 * When this settles the calls that it made have ended too. Nothing is run for a caller that was refused to go on while
 * the decision was written, nor before the labels that it brings into the run are durable.
 */
export async function act(
  call: IdentifiedCall,
  entry: CatalogueEntry | null,
  { management, withdrawals }: Pick<GatewayPorts, 'management' | 'withdrawals'>,
  events: InvocationEvents,
  inner: InnerCalls,
  profile: ForcedProfile | null,
): Promise<Acted> {
  const backend = entry === null ? management : entry.backend
  try {
    await call.currentRun.kept()
    if (isWithdrawn(call, withdrawals)) throw new McpworksError('credential_invalid')
    if (profile !== null && entry !== null && entry.runtime === null)
      throw new McpworksError('sandbox_unavailable', {
        message: `A policy allows this call only under the sandbox profile "${profile}", and this tool runs nowhere that has it.`,
      })
    return await backend.act(
      {
        namespace: call.namespace,
        call: call.call,
        run: call.run,
        caller: call.caller,
        effect: call.effect,
        facts: call.facts,
        depth: depthOf(call),
        profile,
      },
      events,
      inner.callTool,
    )
  } catch (error) {
    return { status: 'broken', error }
  } finally {
    await inner.end()
  }
}
