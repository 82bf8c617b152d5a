/* SPDX-License-Identifier: Apache-2.0 */
/* The ways to an image: what a short name may stand for, and for each of these names the mirrors and the
 * registry itself, as registries.conf says. They are tried in turn. */
#ifndef WCI_IMAGE_WAYS_H
#define WCI_IMAGE_WAYS_H

#include "core/call.h"
#include "image/place.h"
#include "image/reference.h"
#include "registry/registries.h"
#include "registry/registry.h"

typedef struct wci_way {
    const wci_reference *name; /* what the image is called, by whatever way it comes */
    const wci_site *site;
    wci_remote *remote; /* opened when it is first tried */
} wci_way;

typedef struct wci_ways {
    wci_registry_config config; /* texts lent */
    wci_reference *names;
    wci_sites *sites; /* of each name */
    size_t name_count;
    wci_way *items;
    size_t count, at; /* the way that is taken at present */
    wci_str failed;   /* what has been tried in vain, for errors */
} wci_ways;

#define WCI_WAYS_INIT {.config = WCI_REGISTRY_CONFIG_INIT}

/* For a place of kind WCI_PLACE_REGISTRY. The texts of `config` must outlive them. WC_E_PERMISSION when the registry is
 * blocked. */
int32_t wci_ways_find(const wci_place *place, const wci_registry_config *config, wci_ways *out, wc_error **err);
/* The one way to the registry as it is named, for those who also write there: no mirror, and nothing elsewhere. */
int32_t wci_ways_find_named(const wci_place *place, const wci_registry_config *config, wci_ways *out, wc_error **err);
void wci_ways_free(wci_ways *ways);

static inline const wci_way *wci_ways_present(const wci_ways *ways)
{
    return &ways->items[ways->at];
}

/* The connection of the present way, lent. */
int32_t wci_ways_remote(wc_call *call, wci_ways *ways, wci_remote **out, wc_error **err);
/* After a failure by the present way: goes over to the next one and takes the error, or gives 0 when there is none
 * or the call is to end. */
int wci_ways_next(wc_call *call, wci_ways *ways, wc_error **why);
/* From now on only ways of the present name. */
void wci_ways_settle(wci_ways *ways);
/* The ways of one name end with the registry itself: goes over to that. */
void wci_ways_to_registry(wci_ways *ways);
/* Puts above an error what else was tried. Returns `code`. */
int32_t wci_ways_error(const wci_ways *ways, int32_t code, wc_error **err);

/* Tries `what` by one way after the other, until it succeeds. `target` is the tag or digest. */
typedef int32_t (*wci_way_try)(wc_call *call, wci_remote *remote, const char *target, void *arg, wc_error **err);
int32_t wci_ways_try(wc_call *call, wci_ways *ways, wci_way_try what, void *arg, wc_error **err);
/* The same for what need not be there: the present way stays the one to take, and WC_E_NOT_FOUND of one of them
 * counts more than that another cannot be asked. */
int32_t wci_ways_look(wc_call *call, wci_ways *ways, wci_way_try what, void *arg, wc_error **err);

#endif
