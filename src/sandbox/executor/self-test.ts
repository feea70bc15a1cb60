import type { SandboxDescription } from '../sandbox.ts'
import type { Workshop } from './prepare.ts'

export async function selfTest(workshop: Workshop): Promise<SandboxDescription['checks']> {
  void workshop
  return []
}
