export { benchEngine, type EngineBench } from './bench/bench-engine.ts'
export { benchUnjailed } from './bench/bench-unjailed.ts'
export { sandboxConfigSchema, type SandboxConfig } from './config.ts'
export { checkedEngines, checkEngine, type EngineReport } from './containment/check-engine.ts'
export { containmentGroups } from './containment/containment-check.ts'
export type { ExecutorChange, ExecutorEnd } from './executor-change.ts'
export { examineMachine } from './deployment/examine-machine.ts'
export type {
  InnerAnswer,
  InnerCall,
  LimitName,
  Runtime,
  Sandbox,
  SandboxDescription,
  SandboxEvents,
  SandboxFacts,
  SandboxLimits,
  SandboxOutcome,
  SandboxSpec,
  SandboxUsage,
} from './sandbox.ts'
export { startSandbox } from './start-sandbox.ts'
export { runUnprivileged } from './unprivileged/run-unprivileged.ts'
export { checkEvidence } from './evidence/check-evidence.ts'
