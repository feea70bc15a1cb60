import type { JsonObject } from '../kernel/index.ts'
import type { Runtime, SandboxLimits } from '../sandbox/index.ts'

/** A function as its author wrote it: checked in form, with the schemas still open where none were given. */
export interface FunctionSource {
  readonly namespace: string
  readonly service: string
  readonly name: string
  readonly runtime: Runtime
  /** The file, relative to the service's folder, and the function in it. */
  readonly entry: { readonly file: string; readonly name: string }
  /** Everything that ships with the code, by path relative to the service's folder. */
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly title: string | null
  /** `null`: take it from the docstring or doc comment. */
  readonly description: string | null
  /** `null`: derive it from the code. */
  readonly inputSchema: JsonObject | null
  /** `null`: derive it from the code if it says anything. */
  readonly outputSchema: JsonObject | null
  readonly annotations: JsonObject
  /** Names of the tools that the code may call, in order, each once. */
  readonly calls: readonly string[]
  /** Labels that it brings into the run of whoever calls it; sorted, each once. */
  readonly labels: readonly string[]
  readonly limits: SandboxLimits
  /** The service's folder, for messages: `services/leads`. */
  readonly folder: string
}
