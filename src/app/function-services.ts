import {
  createFunctionBuilder,
  createFunctionRunner,
  createSchemaValidator,
  type BuildFunctions,
  type FunctionOutcome,
  type FunctionVersion,
} from '../functions/index.ts'
import type { ActFacts, ActOutcome, Backend, Catalogue, GatewayPorts, SchemaChecker } from '../gateway/index.ts'
import { McpworksError, type Clock, type JsonObject } from '../kernel/index.ts'
import { checkEvidence, type Sandbox, type SandboxUsage } from '../sandbox/index.ts'
import { answerInnerCall } from './answer-inner-call.ts'

/** Hosted functions as the pipeline and the management operations need them. */
export interface FunctionServices {
  readonly backendOf: (version: FunctionVersion) => Backend
  readonly build: BuildFunctions
  readonly schemas: SchemaChecker
  readonly describeSandbox: GatewayPorts['sandbox']
}

/** Puts building, checking and running of functions on one sandbox and one cache of compiled schemas. */
export function createFunctionServices(sandbox: Sandbox, clock: Clock, catalogue: Catalogue): FunctionServices {
  const validator = createSchemaValidator()
  const runner = createFunctionRunner({ sandbox, clock })
  return {
    backendOf: (version) => ({
      async act({ effect, namespace, depth, profile }, events, callTool) {
        if (effect.kind !== 'call')
          throw new McpworksError('internal', { detail: 'a function was asked for something else than a call' })
        const outcome = await runner.run(
          version,
          effect.arguments,
          {
            signal: events.signal,
            onLog: (level, text) => events.log(level, text),
            onProgress: (progress, total, message) => events.progress(progress, total, message),
            onCall: async (call) => await answerInnerCall(call, namespace, callTool, catalogue),
          },
          { depth, isStrict: profile === 'strict' },
        )
        return outcomeOf(outcome, version, sandbox.describe().cgroups.inUse)
      },
    }),
    build: createFunctionBuilder({ sandbox, validator, clock }),
    schemas: { check: (schema: JsonObject, value) => validator.validate(schema, value) },
    describeSandbox(runtime, forced) {
      const { engine, profiles: usual, strictProfiles } = sandbox.describe()
      const profiles = forced === 'strict' ? strictProfiles : usual
      if (profiles === null || (runtime !== 'python' && runtime !== 'typescript')) return null
      const { name, hash } = profiles[runtime]
      return { engine, profile: name, profileHash: hash }
    },
  }
}

/** But for the time, which the outcome has. */
function resourcesOf({ wallMs: _, ...used }: SandboxUsage): NonNullable<ActFacts['resources']> {
  return used
}

function outcomeOf(outcome: FunctionOutcome, { limits }: FunctionVersion, hasGroup: boolean): ActOutcome {
  const { engine, profile, profileHash, usage, stdout, stderr, evidence, exitCode } = outcome.facts
  const facts = {
    ...(outcome.status === 'killed' && profile === 'none' ? {} : { sandbox: { engine, profile, profileHash } }),
    ...(evidence === undefined ? {} : { jail: { evidence, checks: checkEvidence(evidence, { ...limits, hasGroup }) } }),
    resources: resourcesOf(usage),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(stdout === '' && stderr === '' ? {} : { printed: { stdout, stderr } }),
  }
  switch (outcome.status) {
    case 'ok':
      return { ...facts, status: 'ok', result: outcome.result }
    case 'unavailable':
      throw new McpworksError('sandbox_unavailable', { detail: outcome.detail })
    case 'tool-error':
      // What a function says of its failure can hold what it was given, and a detail is in the record in the clear.
      return { ...facts, status: outcome.status, result: outcome.result, detail: 'the function failed' }
    case 'timeout':
    case 'limit':
    case 'killed':
      return { ...facts, status: outcome.status, result: outcome.result, detail: outcome.detail }
  }
}
