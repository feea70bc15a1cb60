import type { Digest, JsonObject } from '../kernel/index.ts'
import type { Runtime, SandboxLimits } from '../sandbox/index.ts'

/** An immutable version of a hosted function, named by the hash of everything that decides what it does. */
export interface FunctionVersion {
  readonly namespace: string
  readonly service: string
  readonly name: string
  /** `sha256` over the RFC 8785 form of runtime, entry, file digests, schemas, description, calls, labels and limits. */
  readonly versionHash: Digest
  /** `sha256` over runtime, entry and file digests only. */
  readonly codeHash: Digest
  readonly runtime: Runtime
  readonly entry: { readonly file: string; readonly name: string }
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly title: string | null
  readonly description: string
  /** JSON Schema 2020-12, always of type object. */
  readonly inputSchema: JsonObject
  /**
   * JSON Schema 2020-12, of type object: the schema of `structuredContent`. `null` where none was given or could be
   * derived. Where the function returns something else than an object, it stands under `result`.
   */
  readonly outputSchema: JsonObject | null
  readonly annotations: JsonObject
  /** Names of the tools that the code may call on behalf of whoever calls the function, in order, each once. */
  readonly calls: readonly string[]
  /** What its results bring into the run of whoever calls it, such as `untrusted-input`; sorted, each once. */
  readonly labels: readonly string[]
  readonly limits: SandboxLimits
  readonly createdAtMs: number
  readonly createdBy: string
}
