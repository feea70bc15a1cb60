import type { z } from 'zod'

/** An answer that is a file. */
export interface OperationFile {
  readonly mediaType: string
  /** How the bytes are written in `content`. */
  readonly encoding: 'utf8' | 'base64'
  /** The header; `private`, because who may read it is decided. */
  readonly cacheControl: string
}

/** One operation of the management API: a route, its input, and the name that policy sees. */
export interface Operation {
  /** Name for policy and records: `agent.add`. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path with `{param}` segments. Without `{namespace}` the operation belongs to the namespace `platform`. */
  readonly path: string
  /**
   * `manage` changes or shows state, `audit` reads records, `approve` decides on a call that waits. All go through the
   * pipeline.
   */
  readonly effect: 'manage' | 'approve' | 'audit'
  /**
   * Strict object of path parameters, query parameters (as text, coerced here) and body members together.
   * `namespace` is always among them where the path has it.
   */
  readonly input: z.ZodType
  /** Member of the body that is a secret: it reaches the handler and no record, log or policy. */
  readonly secret?: string
  /** Path parameter, the last one, that is one segment or several: `x001/x234/067`. */
  readonly spans?: string
  /** Where the answer is a file and not JSON: what the handler gives as `content`, and how it is sent. */
  readonly file?: OperationFile
  /** One sentence for the reference. */
  readonly summary: string
}
