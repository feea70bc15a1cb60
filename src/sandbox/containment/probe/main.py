"""Hosted code of the containment checks: does what it is told to and tells at once what came of it. Judged outside."""
import json
import sys

import files
import machine
import network
import processes
import siblings

OPERATIONS = {}
for module in (files, machine, network, processes, siblings):
    OPERATIONS.update(module.OPERATIONS)


def main(order):
    for operation, arguments in order['probes']:
        if operation == 'return':
            return 'x' * arguments[0]
        # One line for each, so that the answers before a killed one are known.
        sys.stdout.write('answer ' + json.dumps(OPERATIONS[operation](*arguments)) + '\n')
        sys.stdout.flush()
    return 'done'
