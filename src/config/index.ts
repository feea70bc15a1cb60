export { configPaths, type ConfigPath } from './config-paths.ts'
export { loadConfig, type ConfigOutcome, type ConfigProblem, type ConfigSources, type Origin } from './load-config.ts'
export { configSchema, type Config } from './schema.ts'
export { configDigest, shownSettings, type ShownSetting } from './shown-settings.ts'
