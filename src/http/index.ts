export {
  authorizationServerRoutes,
  type AuthorizationRoutesParts,
} from './authorization-server/authorization-server-routes.ts'
export { errorPage } from './authorization-server/page.ts'
export { HttpConfig } from './config.ts'
export type { DoorRefusal, Incident } from './door-refusal.ts'
export { createHttpServer, type Health, type HttpServer, type HttpServerParts } from './http-server.ts'
export { metricsRoute } from './metrics-route.ts'
export { approvalLinkUrl, approvalRoutes } from './approvals/approval-routes.ts'
export { signInRoutes } from './sign-in/routes.ts'
export { connectPagePath, upstreamRoutes, type UpstreamPages } from './upstream/upstream-routes.ts'
export { routes, type Access, type Route } from './routes.ts'
export { createStandbyServer } from './standby-server.ts'
