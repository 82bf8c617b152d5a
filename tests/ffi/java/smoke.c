/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <wincontainer/wincontainer.h>

#include "Smoke.h"

#define HANDLE(type, value) ((type *)(intptr_t)(value))

static int failed(JNIEnv *env, int32_t code, wc_error *err)
{
    if (code == WC_OK)
        return 0;
    if (!(*env)->ExceptionCheck(env)) {
        jclass type = (*env)->FindClass(env, "Smoke$WcException");
        jmethodID make = type ? (*env)->GetMethodID(env, type, "<init>", "(ILjava/lang/String;)V") : NULL;
        jstring message = make ? (*env)->NewStringUTF(env, wc_error_message(err)) : NULL;
        jobject thrown = message ? (*env)->NewObject(env, type, make, (jint)code, message) : NULL;
        if (thrown)
            (*env)->Throw(env, thrown);
    }
    wc_error_unref(err);
    return 1;
}

JNIEXPORT jstring JNICALL Java_Smoke_version(JNIEnv *env, jclass self)
{
    (void)self;
    return (*env)->NewStringUTF(env, wc_version());
}

JNIEXPORT jlong JNICALL Java_Smoke_open(JNIEnv *env, jclass self, jstring root, jstring backend)
{
    wc_error *err = NULL;
    wc_context_options *options = NULL;
    wc_context *context = NULL;
    const char *path = (*env)->GetStringUTFChars(env, root, NULL);
    const char *name = (*env)->GetStringUTFChars(env, backend, NULL);
    (void)self;
    int32_t code = wc_context_options_new(&options, &err);
    if (!code)
        code = wc_context_options_set_root(options, path, &err);
    if (!code)
        code = wc_context_options_set_backend(options, name, &err);
    if (!code)
        code = wc_context_open(options, NULL, &context, &err);
    wc_context_options_unref(options);
    (*env)->ReleaseStringUTFChars(env, root, path);
    (*env)->ReleaseStringUTFChars(env, backend, name);
    failed(env, code, err);
    return (jlong)(intptr_t)context;
}

JNIEXPORT void JNICALL Java_Smoke_close(JNIEnv *env, jclass self, jlong context)
{
    (void)env, (void)self;
    wc_context_unref(HANDLE(wc_context, context));
}

typedef struct upcall {
    JNIEnv *env;
    jobject target;
    jmethodID method;
} upcall;

static int32_t on_progress(const wc_progress *progress, uintptr_t payload)
{
    upcall *up = (upcall *)payload;
    jboolean more = (*up->env)->CallBooleanMethod(up->env, up->target, up->method, (jint)wc_progress_kind(progress));
    return (*up->env)->ExceptionCheck(up->env) || !more;
}

JNIEXPORT void JNICALL Java_Smoke_pull(JNIEnv *env, jclass self, jlong context, jstring source, jstring name,
                                       jobject progress)
{
    wc_error *err = NULL;
    wc_transfer_options *options = NULL;
    wc_image *image = NULL;
    upcall up = {env, progress, (*env)->GetMethodID(env, (*env)->GetObjectClass(env, progress), "report", "(I)Z")};
    (void)self;
    if (!up.method)
        return;
    const char *place = (*env)->GetStringUTFChars(env, source, NULL);
    const char *called = (*env)->GetStringUTFChars(env, name, NULL);
    int32_t code = wc_transfer_options_new(&options, &err);
    if (!code)
        code = wc_transfer_options_set_progress(options, on_progress, (uintptr_t)&up, &err);
    if (!code)
        code = wc_transfer_options_add_name(options, called, &err);
    if (!code)
        code = wc_image_pull(HANDLE(wc_context, context), place, options, NULL, &image, &err);
    wc_image_unref(image);
    wc_transfer_options_unref(options);
    (*env)->ReleaseStringUTFChars(env, source, place);
    (*env)->ReleaseStringUTFChars(env, name, called);
    failed(env, code, err);
}

static int32_t create(JNIEnv *env, jlong context, jstring image, jobjectArray args, wc_container **out, wc_error **err)
{
    wc_container_options *options = NULL;
    const char *name = (*env)->GetStringUTFChars(env, image, NULL);
    jsize count = (*env)->GetArrayLength(env, args);
    const char **list = calloc((size_t)count + 1, sizeof *list);
    for (jsize i = 0; i < count; i++) {
        jstring item = (*env)->GetObjectArrayElement(env, args, i);
        list[i] = (*env)->GetStringUTFChars(env, item, NULL);
    }
    int32_t code = wc_container_options_new(name, &options, err);
    if (!code)
        code = wc_container_options_set_command(options, list, (size_t)count, err);
    if (!code)
        code = wc_container_options_set_network(options, "none", err);
    if (!code)
        code = wc_container_create(HANDLE(wc_context, context), options, NULL, out, err);
    wc_container_options_unref(options);
    for (jsize i = 0; i < count; i++) {
        jstring item = (*env)->GetObjectArrayElement(env, args, i);
        (*env)->ReleaseStringUTFChars(env, item, list[i]);
    }
    free(list);
    (*env)->ReleaseStringUTFChars(env, image, name);
    return code;
}

typedef struct bytes {
    char *data;
    size_t size;
} bytes;

static void append(bytes *to, const void *data, size_t size)
{
    to->data = realloc(to->data, to->size + size);
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

static int32_t read_output(wc_stream *stream, bytes output[3], wc_error **err)
{
    char data[4096];
    for (;;) {
        int32_t channel = 0;
        size_t got = 0;
        int32_t code = wc_stream_read(stream, &channel, data, sizeof data, &got, -1, NULL, err);
        if (code == WC_E_CLOSED) {
            wc_error_unref(*err);
            *err = NULL;
            return WC_OK;
        }
        if (code)
            return code;
        append(&output[channel], data, got);
    }
}

static void set_bytes(JNIEnv *env, jobject result, const char *field, const bytes *from)
{
    jbyteArray array = (*env)->NewByteArray(env, (jsize)from->size);
    if (!array)
        return;
    (*env)->SetByteArrayRegion(env, array, 0, (jsize)from->size, (const jbyte *)from->data);
    jfieldID id = (*env)->GetFieldID(env, (*env)->GetObjectClass(env, result), field, "[B");
    if (id)
        (*env)->SetObjectField(env, result, id, array);
}

JNIEXPORT jobject JNICALL Java_Smoke_run(JNIEnv *env, jclass self, jlong context, jstring image, jobjectArray args)
{
    wc_error *err = NULL;
    wc_container *container = NULL;
    wc_stream *stream = NULL;
    bytes output[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    int32_t exit_code = -1;
    jobject result = NULL;
    (void)self;
    int32_t code = create(env, context, image, args, &container, &err);
    if (!code)
        code = wc_container_start(container, WC_ATTACH_STDOUT | WC_ATTACH_STDERR, NULL, &stream, &err);
    if (!code)
        code = read_output(stream, output, &err);
    if (!code)
        code = wc_container_wait(container, WC_WAIT_NOT_RUNNING, NULL, &exit_code, &err);
    if (!code)
        code = wc_container_remove(container, 0, NULL, &err);
    wc_stream_unref(stream);
    wc_container_unref(container);
    if (!failed(env, code, err)) {
        jclass type = (*env)->FindClass(env, "Smoke$Result");
        result = type ? (*env)->AllocObject(env, type) : NULL;
    }
    if (result) {
        set_bytes(env, result, "out", &output[WC_STREAM_STDOUT]);
        set_bytes(env, result, "err", &output[WC_STREAM_STDERR]);
        jfieldID id = (*env)->GetFieldID(env, (*env)->GetObjectClass(env, result), "code", "I");
        if (id)
            (*env)->SetIntField(env, result, id, exit_code);
    }
    for (size_t i = 0; i < 3; i++)
        free(output[i].data);
    return result;
}

JNIEXPORT jlong JNICALL Java_Smoke_start(JNIEnv *env, jclass self, jlong context, jstring image, jobjectArray args)
{
    wc_error *err = NULL;
    wc_container *container = NULL;
    (void)self;
    int32_t code = create(env, context, image, args, &container, &err);
    if (!code)
        code = wc_container_start(container, 0, NULL, NULL, &err);
    failed(env, code, err);
    return (jlong)(intptr_t)container;
}

JNIEXPORT jint JNICALL Java_Smoke_await(JNIEnv *env, jclass self, jlong container, jlong cancel)
{
    wc_error *err = NULL;
    int32_t exit_code = -1;
    (void)self;
    failed(env, wc_container_wait(HANDLE(wc_container, container), WC_WAIT_NOT_RUNNING, HANDLE(wc_cancel, cancel),
                                  &exit_code, &err), err);
    return exit_code;
}

JNIEXPORT void JNICALL Java_Smoke_remove(JNIEnv *env, jclass self, jlong container)
{
    wc_error *err = NULL;
    (void)self;
    failed(env, wc_container_remove(HANDLE(wc_container, container), WC_REMOVE_FORCE, NULL, &err), err);
    wc_container_unref(HANDLE(wc_container, container));
}

JNIEXPORT jlong JNICALL Java_Smoke_newCancel(JNIEnv *env, jclass self)
{
    wc_error *err = NULL;
    wc_cancel *cancel = NULL;
    (void)self;
    failed(env, wc_cancel_new(&cancel, &err), err);
    return (jlong)(intptr_t)cancel;
}

JNIEXPORT void JNICALL Java_Smoke_trigger(JNIEnv *env, jclass self, jlong cancel)
{
    (void)env, (void)self;
    wc_cancel_trigger(HANDLE(wc_cancel, cancel));
}

JNIEXPORT void JNICALL Java_Smoke_freeCancel(JNIEnv *env, jclass self, jlong cancel)
{
    (void)env, (void)self;
    wc_cancel_unref(HANDLE(wc_cancel, cancel));
}
