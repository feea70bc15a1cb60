import type { ContainmentCheck } from '../containment-check.ts'
import { held, inside, ofHost, onBun } from './make-check.ts'

/** Family and kinds by their numbers (linux/socket.h, linux/net.h): stream 1, datagram 2, raw 3, seqpacket 5. */
const families: Readonly<
  Record<string, readonly (readonly [kind: string, family: number, type: number, protocol: number])[]>
> = {
  unix: [
    ['stream', 1, 1, 0],
    ['datagram', 1, 2, 0],
    ['seqpacket', 1, 5, 0],
  ],
  inet: [
    ['stream', 2, 1, 0],
    ['datagram', 2, 2, 0],
    ['raw', 2, 3, 1],
    ['ping', 2, 2, 1],
    ['sctp', 2, 1, 132],
    ['mptcp', 2, 1, 262],
  ],
  inet6: [
    ['stream', 10, 1, 0],
    ['datagram', 10, 2, 0],
    ['raw', 10, 3, 58],
  ],
  netlink: [
    ['route', 16, 3, 0],
    ['audit', 16, 3, 9],
    ['netfilter', 16, 3, 12],
    ['uevent', 16, 3, 15],
    ['generic', 16, 3, 16],
  ],
  packet: [
    ['raw', 17, 3, 0x300],
    ['datagram', 17, 2, 0x300],
  ],
  key: [['raw', 15, 3, 2]],
  alg: [['seqpacket', 38, 5, 0]],
  vsock: [
    ['stream', 40, 1, 0],
    ['datagram', 40, 2, 0],
  ],
  xdp: [['raw', 44, 3, 0]],
  bluetooth: [['raw', 31, 3, 1]],
  tipc: [['stream', 30, 1, 0]],
  rxrpc: [['datagram', 33, 2, 2]],
  can: [['raw', 29, 3, 1]],
  ax25: [['stream', 3, 1, 0]],
  x25: [['seqpacket', 9, 5, 0]],
  rds: [['seqpacket', 21, 5, 0]],
  kcm: [['datagram', 41, 2, 0]],
  smc: [['stream', 43, 1, 0]],
  qipcrtr: [['datagram', 42, 2, 0]],
  nfc: [['raw', 39, 3, 0]],
}

const refused = 'EACCES'

/** The network: no socket can be made, and nothing would be reached with one. */
export function networkChecks(): ContainmentCheck[] {
  return [
    ...Object.entries(families).flatMap(([name, kinds]) =>
      kinds.map(([kind, family, type, protocol]) =>
        inside(
          `network.socket-${name}-${kind}`,
          `make a ${kind} socket of the family ${name}`,
          ['socket', family, type, protocol],
          refused,
        ),
      ),
    ),
    inside('network.socketpair-datagram', 'make a pair of datagram sockets', ['socketpair', 2], refused),
    inside('network.socketpair-seqpacket', 'make a pair of seqpacket sockets', ['socketpair', 5], refused),
    inside(
      'network.socketpair-stream',
      'make a pair of stream sockets without a name (allowed)',
      ['socketpair', 1],
      'done',
    ),
    ofHost(
      'network.loopback',
      'reach a server on the loopback address of the host',
      ['connect', '127.0.0.1', '$port'],
      refused,
    ),
    ofHost('network.loopback-6', 'reach it by IPv6', ['connect6', '::1', '$port6'], refused),
    ofHost(
      'network.abstract-socket',
      'reach an abstract socket of the host',
      ['connect-abstract', '$abstractName'],
      refused,
    ),
    ofHost('network.socket-file', 'reach a socket file of the host', ['connect-path', '$socketFile'], refused),
    ofHost(
      'network.metadata-address',
      'reach the metadata address of clouds',
      ['connect', '169.254.169.254', 80],
      refused,
    ),
    ofHost('network.public-address', 'send a datagram to a public address', ['datagram', '192.0.2.1', 53], refused),
    ofHost('network.own-address', 'send a datagram to the loopback address', ['datagram', '127.0.0.1', 53], refused),
    inside('network.name-lookup', 'look up a name', ['resolve', 'example.com'], 'not found', refused),
    inside('network.listen', 'listen on a port', ['listen'], refused),
    inside('network.listen-file', 'listen on a socket file in /tmp', ['listen-path'], refused),
    inside('network.interfaces', 'list interfaces', ['interfaces'], refused, 'EPERM', 'lo'),
    onBun('network.interfaces', 'list interfaces', ['interfaces'], 'none', 'lo', refused, 'EPERM', 'ERR_SYSTEM_ERROR'),
    held('network.only-loopback', 'the network namespace has an interface besides lo', 'python', 'lo'),
    held('network.only-loopback', 'the network namespace has an interface besides lo', 'typescript', 'lo'),
    held('network.no-routes', 'the network namespace has a route', 'python', 'none'),
    held('network.no-sockets', 'the network namespace has a socket of somebody else', 'python', 'none'),
  ]
}
