/** Tries to make a jail and prints what `doctor` would say of it. With an argument, first turns user namespaces off. */
import { writeFileSync } from 'node:fs'
import { tryJail } from '../../src/sandbox/deployment/try-jail.ts'

if (process.argv[2] === 'no-namespaces') writeFileSync('/proc/sys/user/max_user_namespaces', '0')
process.stdout.write(JSON.stringify(await tryJail('/usr/bin/bwrap')))
