#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The C API from Python, with ctypes alone."""
import ctypes as c
import os
import threading
import time

lib = c.CDLL(os.environ["WC_LIBRARY"])
PROGRESS = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_size_t)
OK, CANCELLED = 0, -6


def function(name, result, *arguments):
    f = getattr(lib, name)
    f.restype, f.argtypes = result, arguments
    return f


error_message = function("wc_error_message", c.c_char_p, c.c_void_p)
error_code = function("wc_error_code", c.c_int32, c.c_void_p)
error_unref = function("wc_error_unref", None, c.c_void_p)


class WcError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def call(name, *arguments):
    """Calls a fallible function; converts by the values' own types."""
    err = c.c_void_p()
    f = getattr(lib, name)
    f.restype, f.argtypes = c.c_int32, None
    code = f(*arguments, c.byref(err))
    if code != OK:
        message = error_message(err).decode() if err else "?"
        assert not err or error_code(err) == code
        error_unref(err)
        raise WcError(code, message)


def pointer(name, *arguments):
    out = c.c_void_p()
    before, after = arguments if len(arguments) == 2 and isinstance(arguments[0], list) else (list(arguments), [])
    call(name, *before, c.byref(out), *after)
    return out


version = function("wc_version", c.c_char_p)
print("wincontainer", version().decode(), "from Python")

options = pointer("wc_context_options_new")
call("wc_context_options_set_root", options, os.environ["WC_ROOT"].encode())
call("wc_context_options_set_backend", options, os.environ["WC_BACKEND"].encode())
context = pointer("wc_context_open", options, None)
function("wc_context_options_unref", None, c.c_void_p)(options)

reports = []


@PROGRESS
def on_progress(report, payload):
    assert payload == 42
    reports.append(function("wc_progress_kind", c.c_int32, c.c_void_p)(report))
    return 0


transfer = pointer("wc_transfer_options_new")
call("wc_transfer_options_set_progress", transfer, on_progress, c.c_size_t(42))
call("wc_transfer_options_add_name", transfer, b"smoke:latest")
image = pointer("wc_image_pull", context, os.environ["WC_IMAGE"].encode(), transfer, None)
assert reports, "no progress was reported"
names = function("wc_image_name", c.c_char_p, c.c_void_p, c.c_size_t)(image, 0)
assert names == b"docker.io/library/smoke:latest", names


def create(*args):
    o = pointer("wc_container_options_new", b"smoke:latest")
    array = (c.c_char_p * len(args))(*[a.encode() for a in args])
    call("wc_container_options_set_command", o, array, c.c_size_t(len(args)))
    call("wc_container_options_set_network", o, b"none")
    made = pointer("wc_container_create", context, o, None)
    function("wc_container_options_unref", None, c.c_void_p)(o)
    return made


def run(*args):
    container, stream, err = create(*args), c.c_void_p(), c.c_void_p()
    call("wc_container_start", container, c.c_uint64(2 | 4), None, c.byref(stream))
    read = function("wc_stream_read", c.c_int32, c.c_void_p, c.c_void_p, c.c_void_p, c.c_size_t, c.c_void_p,
                    c.c_int64, c.c_void_p, c.c_void_p)
    output, buffer, channel, got = {1: b"", 2: b""}, c.create_string_buffer(4096), c.c_int32(), c.c_size_t()
    while read(stream, c.byref(channel), buffer, 4096, c.byref(got), -1, None, c.byref(err)) == OK:
        output[channel.value] += buffer.raw[:got.value]
    assert error_code(err) == -25, error_message(err)
    error_unref(err)
    code = c.c_int32()
    call("wc_container_wait", container, 0, None, c.byref(code))
    function("wc_stream_unref", None, c.c_void_p)(stream)
    call("wc_container_remove", container, c.c_uint64(0), None)
    function("wc_container_unref", None, c.c_void_p)(container)
    return output[1], output[2], code.value


real = os.environ["WC_BACKEND"] == "process"
command = ["sh", "-c", "echo hello; echo oops >&2; exit 7"] if real else ["outln:hello", "err:oops\n", "exit:7"]
assert run(*command) == (b"hello\n", b"oops\n", 7)

# A cancel from another thread ends a wait at once.
container = create(*(["sleep", "600"] if real else ["sleep:600000"]))
call("wc_container_start", container, c.c_uint64(0), None, None)
cancel = pointer("wc_cancel_new")
trigger = function("wc_cancel_trigger", None, c.c_void_p)
begun = []
timer = threading.Timer(0.2, lambda: (begun.append(time.monotonic()), trigger(cancel)))
timer.start()
try:
    call("wc_container_wait", container, 0, cancel, c.byref(c.c_int32()))
    raise AssertionError("the wait was not cancelled")
except WcError as error:
    assert error.code == CANCELLED, error
    assert time.monotonic() - begun[0] < 0.5
timer.join()
call("wc_container_remove", container, c.c_uint64(1), None)

for name, handle in (("container", container), ("image", image), ("transfer_options", transfer),
                     ("cancel", cancel), ("context", context)):
    function(f"wc_{name}_unref", None, c.c_void_p)(handle)
print("ok")
