import { parseService, type BuildFunctions, type FunctionStore, type FunctionVersion } from '../../functions/index.ts'
import { McpworksError, toolName, type JsonObject } from '../../kernel/index.ts'
import type { HostedState } from '../hosted-state.ts'
import type { Namespaces } from '../namespaces.ts'
import type { Handlers } from './handler.ts'
import { unknownNamespace } from './identity-handlers.ts'

type FunctionHandlers = Pick<Handlers, 'function.list' | 'function.show' | 'function.add'>

/** What the function handlers stand on. */
export interface FunctionHandlerPorts {
  readonly hosted: HostedState
  readonly namespaces: Namespaces
  readonly store: FunctionStore
  readonly build: BuildFunctions
}

/** Hosted functions. Adding one makes a new immutable version and puts it in force. */
export function functionHandlers({ hosted, namespaces, store, build }: FunctionHandlerPorts): FunctionHandlers {
  return {
    'function.list': async ({ namespace }) => ({ functions: hosted.functions(namespace).map(summaryOf) }),
    async 'function.show'({ namespace, tool }) {
      const version = hosted
        .functions(namespace)
        .find((candidate) => toolName(candidate.service, candidate.name) === tool)
      if (version === undefined)
        throw new McpworksError('unknown_object', { message: `Namespace ${namespace} has no function ${tool}.` })
      return {
        ...summaryOf(version),
        inputSchema: version.inputSchema,
        outputSchema: version.outputSchema,
        calls: [...version.calls],
        labels: [...version.labels],
        limits: { ...version.limits },
        entry: { ...version.entry },
        files: [...version.files].map(([path, bytes]) => fileOf(path, bytes)),
        versions: (await store.listVersions(namespace, version.service, version.name)).map((listed) => ({ ...listed })),
      }
    },
    async 'function.add'({ namespace, service, files }, invocation) {
      if (!namespaces.has(namespace)) throw unknownNamespace(namespace)
      const parsed = parseService(namespace, service, new Map(files.map((file) => [file.path, bytesOf(file)])))
      if (!parsed.ok) throw new McpworksError('function_invalid', { data: { problems: parsed.problems } })
      const by = invocation.caller.principal.id
      const built = await build(parsed.service.functions, by)
      if (!built.ok) throw new McpworksError('function_invalid', { data: { problems: built.problems } })
      const added = new Set(built.versions.map((version) => version.name))
      const others = hosted
        .functions(namespace)
        .filter((version) => version.service !== service || !added.has(version.name))
      await hosted.replace(namespace, {
        functions: [...others, ...built.versions],
        policies: hosted.policySources(namespace),
        by,
        comment: '',
      })
      return { functions: built.versions.map(summaryOf) }
    },
  }
}

function summaryOf(version: FunctionVersion): JsonObject {
  return {
    tool: toolName(version.service, version.name),
    service: version.service,
    name: version.name,
    runtime: version.runtime,
    description: version.description,
    versionHash: version.versionHash,
    codeHash: version.codeHash,
    createdAtMs: version.createdAtMs,
    createdBy: version.createdBy,
  }
}

function fileOf(path: string, bytes: Uint8Array): JsonObject {
  const source = path.endsWith('.py') || path.endsWith('.ts')
  return { path, bytes: bytes.length, ...(source ? { text: Buffer.from(bytes).toString('utf8') } : {}) }
}

function bytesOf(file: { text?: string | undefined; base64?: string | undefined }): Uint8Array {
  return file.text === undefined ? Buffer.from(file.base64 ?? '', 'base64') : Buffer.from(file.text, 'utf8')
}
