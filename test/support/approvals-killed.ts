import { systemClock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { approvalsAt, approved, wantedCall } from './approvals-at.ts'

// A process that is killed when it has spent an approval and not yet done anything with it. Prints nothing: what it did
// is what the next one finds in the data directory that is its argument.
const storage = await openStorage({ dataDirectory: process.argv[2] ?? '', clock: systemClock })
const approvals = approvalsAt(storage)
await approved(approvals, wantedCall('spent'))
await approved(approvals, wantedCall('not spent'))
await approvals.seek(wantedCall('waiting'))
const sought = await approvals.seek(wantedCall('spent'))
if (sought.kind !== 'granted') process.exit(1)
process.kill(process.pid, 'SIGKILL')
