export type {
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
