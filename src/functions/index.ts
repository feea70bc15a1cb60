export { createFunctionBuilder, type BuildFunctions, type BuildPorts, type BuiltFunctions } from './build-functions.ts'
export {
  createFunctionRunner,
  type FunctionOutcome,
  type FunctionRunner,
  type RunnerPorts,
} from './create-function-runner.ts'
export type { DesiredFile, DesiredState, SourceProblem } from './desired-state.ts'
export type { FunctionSource } from './function-source.ts'
export type { FunctionStore } from './function-store.ts'
export type { FunctionVersion } from './function-version.ts'
export {
  parseDesiredState,
  type DesiredAgent,
  type ParsedDesiredState,
  type ParsedState,
} from './parse-desired-state.ts'
export { parseYaml } from './parse-yaml.ts'
export { parseService, type ParsedService, type ServiceSource } from './parse-service.ts'
export { readDesiredDirectory, type ReadDirectory } from './read-desired-directory.ts'
export { createSchemaValidator, type SchemaValidator } from './schema/create-schema-validator.ts'
export type { ValueProblem } from './schema/explain-errors.ts'
export { returnedValue, textOf } from './returned-value.ts'
export { formatProblem } from './source-problem.ts'
export { toolDefinition } from './tool-definition.ts'
