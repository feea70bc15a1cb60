import type { ErasureResult, Hold, RecordKeeper, StepResult } from '../../audit/index.ts'
import { McpworksError } from '../../kernel/index.ts'

/**
 * The log on PostgreSQL takes nothing out: it knows no holds, and a removal that does not look at holds must not be.
 * Retention has nothing to do there, and whoever asks for an erasure or a hold is refused.
 */
export class PostgresRecordKeeper implements RecordKeeper {
  async holds(): Promise<Hold[]> {
    return []
  }

  async placeHold(): Promise<void> {
    throw unsupported()
  }

  async liftHold(): Promise<Hold | null> {
    throw unsupported()
  }

  async expire(): Promise<StepResult> {
    return { removed: 0, more: false, held: false }
  }

  async erase(): Promise<ErasureResult> {
    throw unsupported()
  }

  async sweepErased(): Promise<StepResult> {
    return { removed: 0, more: false, held: false }
  }
}

function unsupported(): McpworksError {
  return new McpworksError('invalid_request', {
    message: 'The decision log on PostgreSQL cannot erase or hold records. A log on SQLite can.',
  })
}
