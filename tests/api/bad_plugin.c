/* SPDX-License-Identifier: Apache-2.0 */
/* Loadable objects that are no proper backends, one for each PLUGIN_KIND. */
#include <wincontainer/backend.h>

#define EXPORT __attribute__((visibility("default")))

#if PLUGIN_KIND == 1 /* has another entry */
EXPORT int32_t wc_backend_plugin_v9(void);
int32_t wc_backend_plugin_v9(void)
{
    return 0;
}
#else
EXPORT int32_t wc_backend_plugin_v1(const wc_backend_ops **ops, uintptr_t *payload,
                                    void (**free_payload)(uintptr_t payload));
int32_t wc_backend_plugin_v1(const wc_backend_ops **ops, uintptr_t *payload,
                             void (**free_payload)(uintptr_t payload))
{
    (void)payload;
    (void)free_payload;
#if PLUGIN_KIND == 2   /* refuses */
    (void)ops;
    return WC_E_MISSING;
#elif PLUGIN_KIND == 3 /* gives no table */
    (void)ops;
    return WC_OK;
#else                  /* gives a table of another version */
    static const wc_backend_ops table = {
        .struct_size = sizeof table, .spi_major = WC_BACKEND_SPI_MAJOR + 1, .name = "newer"};
    *ops = &table;
    return WC_OK;
#endif
}
#endif
