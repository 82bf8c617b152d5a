# SPDX-License-Identifier: Apache-2.0
"""unittest's main, with a line for each test that was skipped, which tests/run.sh counts and shows."""
import sys
import unittest


def main():
    program = unittest.main(module="__main__", verbosity=1, exit=False)
    for test, why in program.result.skipped:
        print(f"SKIPPED PART: {test.id().removeprefix('__main__.')}: {why}")
    sys.exit(not program.result.wasSuccessful())
