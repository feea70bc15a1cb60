export { publishingConfigSchema, type PublishingConfig } from './config.ts'
export { openPublishing, type Publishing, type PublishingOptions } from './open-publishing.ts'
export type { PartState } from './part.ts'
export type { LogConflict } from './publishing-ports.ts'
