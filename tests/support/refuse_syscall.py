#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command for which one system call always fails, as on a kernel without it.

usage: refuse_syscall.py NUMBER ERRNO COMMAND [ARG ...]
"""
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def main():
    number, errno, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    steps = [(LOAD_WORD, 0, 0, 0), (JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, FAIL | errno), (RETURN, 0, 0, ALLOW)]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    program = Program(len(steps), code)
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(command[0], command)


main()
