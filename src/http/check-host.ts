import { isLoopbackHost, isWildcardHost, type HttpConfig } from './config.ts'

/** Decides about a Host header. */
export type HostCheck = (host: string | undefined) => boolean

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]']

/**
 * Makes the check of the Host header against DNS rebinding: its name, without the port, must be on the list.
 * Loopback names are on it while the server listens on loopback, be it alone or among all addresses. The port is not compared, because a forwarder
 * may have another one and a rebinding page cannot choose the name.
 */
export function createHostCheck(config: HttpConfig): HostCheck {
  const names = new Set(config.allowedHosts)
  if (isLoopbackHost(config.host) || isWildcardHost(config.host)) for (const name of loopbackNames) names.add(name)
  if (config.publicUrl !== null) names.add(new URL(config.publicUrl).hostname)
  return (host) => {
    if (host === undefined) return false
    const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?$/.exec(host)
    return match?.[1] !== undefined && names.has(match[1].toLowerCase())
  }
}
