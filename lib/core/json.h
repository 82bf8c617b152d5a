/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON on top of jansson: size and depth limits, duplicate keys refused, and typed readers
 * whose errors name the path of what is wrong. A json_t never crosses threads. */
#ifndef WCI_JSON_H
#define WCI_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/str.h"

/* Once before the first object: jansson, left to itself, opens /dev/urandom in a way that a program which the host starts at
 * that moment inherits. Any thread; nothing happens when the host uses jansson and was first. */
void wci_json_seed(void);

/* `what` names the document in errors, for example "manifest sha256:…". Refused with WC_E_FORMAT:
 * not an object or array, duplicate keys, depth over 64, NUL in strings, invalid UTF-8, trailing
 * bytes, numbers out of range. WC_E_LIMIT over max_size. */
int32_t wci_json_parse(const char *data, size_t size, size_t max_size, const char *what,
                       json_t **out, wc_error **err);
/* What a file has, of at most max_size bytes. */
int32_t wci_json_read(const char *path, size_t max_size, const char *what, json_t **out, wc_error **err);
/* Fails with WC_E_FORMAT when two keys differ only in case from a known one: parsers that match
 * any case would read another document than we do. `known` is NULL-terminated. */
int32_t wci_json_check_case(json_t *object, const char *const *known, const char *what,
                            wc_error **err);
/* Readers. The value is lent. A missing or null key gives the default and WC_OK; a value of another
 * type gives WC_E_FORMAT naming `what` and `key`. */
int32_t wci_json_get_string(json_t *object, const char *key, const char *what, const char **out,
                            wc_error **err);
int32_t wci_json_get_int(json_t *object, const char *key, const char *what, int64_t min,
                         int64_t max, int64_t *out, wc_error **err);
int32_t wci_json_get_bool(json_t *object, const char *key, const char *what, int *out,
                          wc_error **err);
int32_t wci_json_get_object(json_t *object, const char *key, const char *what, json_t **out,
                            wc_error **err);
int32_t wci_json_get_array(json_t *object, const char *key, const char *what, json_t **out,
                           wc_error **err);
/* Appends an array of strings to `out`. */
int32_t wci_json_get_strings(json_t *object, const char *key, const char *what, wci_strv *out,
                             wc_error **err);
json_t *wci_json_from_strv(const wci_strv *v);
/* Compact text, keys in the order of insertion. */
int32_t wci_json_dump(json_t *value, wc_buf **out, wc_error **err);
char *wci_json_dump_text(json_t *value); /* NULL: out of memory; release with wci_free */
/* RFC 3339 to and from nanoseconds. */
int32_t wci_time_parse(const char *text, int64_t *ns, wc_error **err);
#define WCI_TIME_TEXT_SIZE 40
/* A length of time as Go writes it, "1h30m", "1.5s", "200ms", to nanoseconds; not negative. */
int32_t wci_duration_parse(const char *text, int64_t *ns, wc_error **err);
void wci_time_format(int64_t ns, char out[WCI_TIME_TEXT_SIZE]);

#endif
