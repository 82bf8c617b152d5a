/* SPDX-License-Identifier: Apache-2.0 */
/* Files that monitors write and other processes read, and the configuration of containers in the store. The first byte
 * chooses; what is accepted of a configuration is written and read again as the same. */
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#include <wincontainer/container.h>

#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "container/config.h"
#include "core/alloc.h"
#include "core/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *dir;

static void must(int condition)
{
    if (!condition)
        abort();
}

static void remove_dir(void)
{
    test_remove_dir(dir);
}

static void read_state(const char *name, const uint8_t *data, size_t size)
{
    char *path = test_text("%s/%s", dir, name);
    wci_run_state state = {0};
    wc_error *err = NULL;
    test_write_file(path, data, size);
    int32_t code = wci_run_state_read(dir, 1, &state, &err);
    must((code == WC_OK) == (err == NULL));
    must(code || (state.status >= WC_STATUS_CREATED && state.status <= WC_STATUS_DEAD));
    wc_error_unref(err);
    unlink(path);
    free(path);
}

static void read_config(const char *text)
{
    wci_config config = {0}, again = {0};
    wc_error *err = NULL;
    if (wci_config_from_json(text, &config, &err)) {
        must(err != NULL);
        wc_error_unref(err);
        wci_config_free(&config);
        return;
    }
    char *once = wci_config_to_json(&config);
    must(once && !wci_config_from_json(once, &again, NULL));
    char *twice = wci_config_to_json(&again);
    must(twice && !strcmp(once, twice));
    wci_free(once);
    wci_free(twice);
    wci_config_free(&config);
    wci_config_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!dir) {
        dir = test_make_dir();
        atexit(remove_dir);
    }
    if (!size)
        return 0;
    char *text = wci_strndup((const char *)data + 1, size - 1);
    if (data[0] == 'm')
        read_state(WCI_RUN_STATE, data + 1, size - 1);
    else if (data[0] == 'e')
        read_state(WCI_RUN_EXIT, data + 1, size - 1);
    else
        read_config(text);
    wci_free(text);
    return 0;
}
