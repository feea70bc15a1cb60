export type { ActFacts, ActOutcome, Backend, Invocation, InvocationEvents } from './backend.ts'
export type { Catalogue, CatalogueEntry, EntryKind } from './catalogue.ts'
export type { Effect, RequestFacts, Resume } from './effect.ts'
export type { Gateway, GatewayAnswer, GatewayRequest } from './gateway.ts'
