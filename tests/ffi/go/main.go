// SPDX-License-Identifier: Apache-2.0

// The C API from Go, with cgo alone.
package main

/*
#include <stdlib.h>
#include <wincontainer/wincontainer.h>

extern int32_t goProgress(wc_progress *progress, uintptr_t payload);

static int32_t forward(const wc_progress *progress, uintptr_t payload)
{
    return goProgress((wc_progress *)progress, payload);
}

static int32_t set_progress(wc_transfer_options *options, uintptr_t payload, wc_error **err)
{
    return wc_transfer_options_set_progress(options, forward, payload, err);
}
*/
import "C"

import (
	"fmt"
	"os"
	"runtime/cgo"
	"time"
	"unsafe"
)

type wcError struct {
	code    int32
	message string
}

func (e *wcError) Error() string { return fmt.Sprintf("%d: %s", e.code, e.message) }

func check(code C.int32_t, err *C.wc_error) error {
	if code == C.WC_OK {
		return nil
	}
	defer C.wc_error_unref(err)
	return &wcError{int32(code), C.GoString(C.wc_error_message(err))}
}

func must(code C.int32_t, err *C.wc_error) {
	if failure := check(code, err); failure != nil {
		panic(failure)
	}
}

//export goProgress
func goProgress(progress *C.wc_progress, payload C.uintptr_t) C.int32_t {
	reports := cgo.Handle(payload).Value().(*int)
	*reports++
	if C.wc_progress_kind(progress) == 0 {
		return 1
	}
	return 0
}

func text(s string) (*C.char, func()) {
	p := C.CString(s)
	return p, func() { C.free(unsafe.Pointer(p)) }
}

func create(context *C.wc_context, args ...string) *C.wc_container {
	var err *C.wc_error
	var options *C.wc_container_options
	var container *C.wc_container
	name, free := text("smoke:latest")
	defer free()
	must(C.wc_container_options_new(name, &options, &err), err)
	defer C.wc_container_options_unref(options)
	list := (*[16]*C.char)(C.malloc(16 * C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(list))
	for i, arg := range args {
		p, free := text(arg)
		defer free()
		list[i] = p
	}
	must(C.wc_container_options_set_command(options, &list[0], C.size_t(len(args)), &err), err)
	none, freeNone := text("none")
	defer freeNone()
	must(C.wc_container_options_set_network(options, none, &err), err)
	must(C.wc_container_create(context, options, nil, &container, &err), err)
	return container
}

func run(context *C.wc_context, args ...string) (string, string, int) {
	var err *C.wc_error
	var stream *C.wc_stream
	container := create(context, args...)
	defer C.wc_container_unref(container)
	must(C.wc_container_start(container, C.WC_ATTACH_STDOUT|C.WC_ATTACH_STDERR, nil, &stream, &err), err)
	defer C.wc_stream_unref(stream)
	output := map[C.int32_t]string{}
	buffer := C.malloc(4096)
	defer C.free(buffer)
	for {
		var channel C.int32_t
		var got C.size_t
		code := C.wc_stream_read(stream, &channel, buffer, 4096, &got, -1, nil, &err)
		if code == C.WC_E_CLOSED {
			C.wc_error_unref(err)
			err = nil
			break
		}
		must(code, err)
		output[channel] += string(C.GoBytes(buffer, C.int(got)))
	}
	var code C.int32_t
	must(C.wc_container_wait(container, C.WC_WAIT_NOT_RUNNING, nil, &code, &err), err)
	must(C.wc_container_remove(container, 0, nil, &err), err)
	return output[C.WC_STREAM_STDOUT], output[C.WC_STREAM_STDERR], int(code)
}

func main() {
	var err *C.wc_error
	var options *C.wc_context_options
	var context *C.wc_context
	fmt.Println("wincontainer", C.GoString(C.wc_version()), "from Go")

	root, freeRoot := text(os.Getenv("WC_ROOT"))
	defer freeRoot()
	backend, freeBackend := text(os.Getenv("WC_BACKEND"))
	defer freeBackend()
	must(C.wc_context_options_new(&options, &err), err)
	must(C.wc_context_options_set_root(options, root, &err), err)
	must(C.wc_context_options_set_backend(options, backend, &err), err)
	must(C.wc_context_open(options, nil, &context, &err), err)
	C.wc_context_options_unref(options)
	defer C.wc_context_unref(context)

	var transfer *C.wc_transfer_options
	var image *C.wc_image
	reports := 0
	handle := cgo.NewHandle(&reports)
	defer handle.Delete()
	name, freeName := text("smoke:latest")
	defer freeName()
	source, freeSource := text(os.Getenv("WC_IMAGE"))
	defer freeSource()
	must(C.wc_transfer_options_new(&transfer, &err), err)
	defer C.wc_transfer_options_unref(transfer)
	must(C.set_progress(transfer, C.uintptr_t(handle), &err), err)
	must(C.wc_transfer_options_add_name(transfer, name, &err), err)
	must(C.wc_image_pull(context, source, transfer, nil, &image, &err), err)
	defer C.wc_image_unref(image)
	if reports == 0 {
		panic("no progress was reported")
	}

	real := os.Getenv("WC_BACKEND") == "process"
	command, long := []string{"outln:hello", "err:oops\n", "exit:7"}, []string{"sleep:600000"}
	if real {
		command, long = []string{"sh", "-c", "echo hello; echo oops >&2; exit 7"}, []string{"sleep", "600"}
	}
	if out, oops, code := run(context, command...); out != "hello\n" || oops != "oops\n" || code != 7 {
		panic(fmt.Sprintf("output %q, error %q, code %d", out, oops, code))
	}

	// A cancel from another goroutine ends a wait at once.
	var cancel *C.wc_cancel
	var code C.int32_t
	must(C.wc_cancel_new(&cancel, &err), err)
	defer C.wc_cancel_unref(cancel)
	container := create(context, long...)
	defer C.wc_container_unref(container)
	must(C.wc_container_start(container, 0, nil, nil, &err), err)
	begun := make(chan time.Time, 1)
	go func() {
		time.Sleep(200 * time.Millisecond)
		begun <- time.Now()
		C.wc_cancel_trigger(cancel)
	}()
	failure := check(C.wc_container_wait(container, C.WC_WAIT_NOT_RUNNING, cancel, &code, &err), err)
	if e, ok := failure.(*wcError); !ok || e.code != C.WC_E_CANCELLED || time.Since(<-begun) > 500*time.Millisecond {
		panic(fmt.Sprintf("the wait was not cancelled in time: %v", failure))
	}
	must(C.wc_container_remove(container, C.WC_REMOVE_FORCE, nil, &err), err)
	fmt.Println("ok")
}
