/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the layout of the visible structs and the values of the public constants. The output is
 * compared with layout.golden, which only ever grows at its end: a changed line is a broken ABI. */
#include <stdio.h>

#include <wincontainer/backend.h>
#include <wincontainer/wincontainer.h>

#define FIELD(type, field)                                                                       \
    printf("%s.%s offset %zu size %zu\n", #type, #field, offsetof(type, field),                  \
           sizeof(((type *)0)->field))
#define VALUE(name) printf("%s %lld\n", #name, (long long)(name))

int main(void)
{
    if (sizeof(void *) != 8) {
        printf("SKIP: the golden layout is for 64-bit hosts\n");
        return 77;
    }
    FIELD(wc_allocator, struct_size);
    FIELD(wc_allocator, reallocate);
    FIELD(wc_allocator, release);
    FIELD(wc_allocator, payload);
    FIELD(wc_backend_ops, struct_size);
    FIELD(wc_backend_ops, spi_major);
    FIELD(wc_backend_ops, reserved);
    FIELD(wc_backend_ops, capabilities);
    FIELD(wc_backend_ops, name);
    FIELD(wc_backend_ops, open);
    FIELD(wc_backend_ops, info);
    FIELD(wc_backend_ops, container_start);
    FIELD(wc_backend_ops, container_state);
    FIELD(wc_backend_ops, container_kill);
    FIELD(wc_backend_ops, container_wait);
    FIELD(wc_backend_ops, container_remove);
    FIELD(wc_backend_ops, container_attach);
    FIELD(wc_backend_ops, process_start);
    FIELD(wc_backend_ops, process_state);
    FIELD(wc_backend_ops, process_wait);
    FIELD(wc_backend_ops, process_kill);
    FIELD(wc_backend_ops, archive_get);
    FIELD(wc_backend_ops, archive_put);
    FIELD(wc_backend_ops, logs_open);
    FIELD(wc_backend_ops, stream_read);
    FIELD(wc_backend_ops, stream_write);
    FIELD(wc_backend_ops, stream_close_write);
    FIELD(wc_backend_ops, stream_resize);
    FIELD(wc_backend_ops, stream_fd);
    FIELD(wc_backend_ops, stream_release);
    FIELD(wc_backend_ops, logs_next);
    FIELD(wc_backend_ops, logs_fd);
    FIELD(wc_backend_ops, logs_release);
    VALUE(WC_BACKEND_RECORDS);
    VALUE(WC_BACKEND_DETACHED);
    VALUE(WC_BACKEND_LAYERS);
    VALUE(WC_BACKEND_HYPERV);
    VALUE(WC_PROGRESS_RESOLVE);
    VALUE(WC_PROGRESS_DOWNLOAD);
    VALUE(WC_PROGRESS_UNPACK);
    VALUE(WC_PROGRESS_WRITE);
    VALUE(WC_PROGRESS_EXISTS);
    VALUE(WC_PROGRESS_DONE);
    VALUE(WC_PROGRESS_WAIT);
    VALUE(WC_PROGRESS_MESSAGE);
    VALUE(WC_PROGRESS_UPLOAD);
    VALUE(WC_ATTACH_STDIN);
    VALUE(WC_ATTACH_STDOUT);
    VALUE(WC_ATTACH_STDERR);
    VALUE(WC_WAIT_NOT_RUNNING);
    VALUE(WC_WAIT_NEXT_EXIT);
    VALUE(WC_WAIT_REMOVED);
    VALUE(WC_STATUS_CREATED);
    VALUE(WC_STATUS_RUNNING);
    VALUE(WC_STATUS_PAUSED);
    VALUE(WC_STATUS_EXITED);
    VALUE(WC_STATUS_REMOVING);
    VALUE(WC_STATUS_DEAD);
    VALUE(WC_LOG_NONE);
    VALUE(WC_LOG_ERROR);
    VALUE(WC_LOG_WARN);
    VALUE(WC_LOG_INFO);
    VALUE(WC_LOG_DEBUG);
    VALUE(WC_OK);
    VALUE(WC_E_NOMEM);
    VALUE(WC_E_INVALID);
    VALUE(WC_E_NOT_FOUND);
    VALUE(WC_E_EXISTS);
    VALUE(WC_E_BUSY);
    VALUE(WC_E_CANCELLED);
    VALUE(WC_E_TIMEOUT);
    VALUE(WC_E_UNSUPPORTED);
    VALUE(WC_E_PERMISSION);
    VALUE(WC_E_IO);
    VALUE(WC_E_NETWORK);
    VALUE(WC_E_AUTH);
    VALUE(WC_E_DIGEST);
    VALUE(WC_E_FORMAT);
    VALUE(WC_E_LIMIT);
    VALUE(WC_E_STATE);
    VALUE(WC_E_IN_USE);
    VALUE(WC_E_CORRUPT);
    VALUE(WC_E_VERSION);
    VALUE(WC_E_FORKED);
    VALUE(WC_E_GAP);
    VALUE(WC_E_MISSING);
    VALUE(WC_E_RUNTIME);
    VALUE(WC_E_NO_SPACE);
    VALUE(WC_E_CLOSED);
    VALUE(WC_E_PLATFORM);
    VALUE(WC_E_COMMAND_NOT_FOUND);
    VALUE(WC_E_COMMAND_NOT_EXECUTABLE);
    VALUE(WC_E_INTERNAL);
    VALUE(WC_DOMAIN_NONE);
    VALUE(WC_DOMAIN_ERRNO);
    VALUE(WC_DOMAIN_HTTP);
    VALUE(WC_DOMAIN_CURL);
    VALUE(WC_DOMAIN_SQLITE);
    VALUE(WC_DOMAIN_HRESULT);
    VALUE(WC_DOMAIN_EXIT);
    VALUE(WC_DOMAIN_ZSTD);
    VALUE(WC_DOMAIN_ARCHIVE);
    VALUE(WC_REMOVE_FORCE);
    VALUE(WC_STREAM_STDIN);
    VALUE(WC_STREAM_STDOUT);
    VALUE(WC_STREAM_STDERR);
    VALUE(WC_PRUNE_CONTAINERS);
    VALUE(WC_PRUNE_DANGLING);
    VALUE(WC_PRUNE_UNUSED);
    VALUE(WC_PRUNE_PARTIAL);
    VALUE(WC_BACKEND_IMAGE_FILES);
    VALUE(WC_E_UNTRUSTED);
    VALUE(WC_SIGN_EACH);
    VALUE(WC_INDEX_AMEND);
    VALUE(WC_UNMOUNT_FORCE);
    FIELD(wc_backend_ops, container_pause);
    FIELD(wc_backend_ops, container_resume);
    FIELD(wc_backend_ops, container_update);
    FIELD(wc_backend_ops, container_stats);
    FIELD(wc_backend_ops, container_processes);
    FIELD(wc_backend_ops, container_checkpoint);
    FIELD(wc_backend_ops, network_connect);
    FIELD(wc_backend_ops, network_disconnect);
    VALUE(WC_STATUS_RESTARTING);
    VALUE(WC_BACKEND_NETWORKS);
    VALUE(WC_REMOVE_VOLUMES);
    VALUE(WC_PRUNE_VOLUMES);
    VALUE(WC_VOLUME_FORCE);
    VALUE(WC_VOLUME_PRUNE_ALL);
    FIELD(wc_backend_ops, group_update);
    FIELD(wc_backend_ops, group_remove);
    FIELD(wc_backend_ops, group_report);
    FIELD(wc_backend_ops, stream_write_fd);
    VALUE(WC_ATTACH_ONCE);
    return 0;
}
