/* SPDX-License-Identifier: Apache-2.0 */
/* From a compressed layer tar to overlay directories.
 *
 * Every layer is unpacked alone, in any order and in parallel, into T. Some things need the layers
 * below: those are written, bottom up, into the small X above T. docs/layers.md tells why this
 * equals unpacking one layer over the other. */
#ifndef WCI_LAYER_H
#define WCI_LAYER_H

#include <stddef.h>
#include <stdint.h>

#include "core/call.h"
#include "core/digest.h"
#include "core/str.h"
#include "platform/file.h"

/* ---- Sources and codecs ----------------------------------------------------------------------- */

/* Where bytes come from. read() fills up to size bytes; *got 0 is the end. */
typedef struct wci_source {
    int32_t (*read)(void *self, void *data, size_t size, size_t *got, wc_error **err);
    void *self;
} wci_source;

/* The read() of a source whose self is an open file (wci_fd *), from where that stands. */
int32_t wci_source_read_file(void *file, void *data, size_t size, size_t *got, wc_error **err);

typedef enum wci_codec {
    WCI_CODEC_NONE,
    WCI_CODEC_GZIP,
    WCI_CODEC_ZSTD,
} wci_codec;

/* Codec of a media type (OCI and Docker, nondistributable and foreign included), WC_E_UNSUPPORTED. */
int32_t wci_codec_of_media_type(const char *media_type, wci_codec *out, wc_error **err);
/* By the first bytes; WCI_CODEC_NONE for anything else. */
wci_codec wci_codec_guess(const void *head, size_t size);
/* What else compressed it, by its name; NULL. */
const char *wci_codec_foreign(const void *head, size_t size);

typedef struct wci_decoder wci_decoder;
/* Concatenated gzip members and zstd frames (skippable ones too) are one stream; truncation, bad
 * checksums and trailing junk are WC_E_FORMAT; a zstd window over 128 MiB is WC_E_LIMIT. */
int32_t wci_decoder_new(wci_codec codec, const wci_source *from, wci_decoder **out,
                        wc_error **err);
int32_t wci_decoder_read(void *decoder, void *data, size_t size, size_t *got, wc_error **err);
void wci_decoder_free(wci_decoder *d);

/* ---- Unpacking -------------------------------------------------------------------------------- */

typedef struct wci_limits {
    uint64_t max_bytes;    /* uncompressed tar, default 64 GiB */
    uint64_t max_entries;  /* default 4 Mi */
    uint64_t max_ratio;    /* uncompressed to compressed, checked past 64 MiB, default 1100 */
    uint32_t max_path;     /* 4096 */
    uint32_t max_header;   /* bytes of pax and long-name data per entry, 1 MiB */
    int target_windows;    /* 1: names that Windows would read as something else are refused; without it
                              from the first entry on that has attributes of Windows */
} wci_limits;
extern const wci_limits wci_limits_default;

typedef struct wci_unpack_stats {
    uint64_t tar_bytes, entries, content_bytes;
    wci_strv skipped; /* extended attributes that could not be set here, one line each */
    /* Of the table of contents of a zstd:chunked layer, as stored, or empty. It agrees with the layer. */
    wci_digest table;
} wci_unpack_stats;

/* Unpacks one layer into `dir` (from wci_staging_dir): makes dir/fs and dir/records. The DiffID is
 * computed over the whole decoded stream and must equal diff_id: WC_E_DIGEST. Runs on any thread;
 * `stop` (may be NULL) is looked at often and ends the work with WC_E_CANCELLED. */
int32_t wci_layer_unpack(const wci_source *compressed, wci_codec codec, const wci_digest *diff_id,
                         const char *dir, const wci_limits *limits, const _Atomic int *stop,
                         wci_unpack_stats *stats, wc_error **err);
/* Applies a plain tar to a directory without the layer rules (no whiteouts): for cp and import.
 * `dir` is an open directory; nothing outside it is touched; existing files are replaced. */
enum {
    WCI_APPLY_KEEP_OWNER = 1, /* where this process can; else files belong to the caller */
};
int32_t wci_tar_apply(const wci_source *tar, wci_fd dir, int flags, const wci_limits *limits,
                      const _Atomic int *stop, wci_unpack_stats *stats, wc_error **err);

/* Copies what the directory `from` holds, and its own attributes, to the empty directory `to`: all kinds
 * of files but sockets, with owner, mode, time, extended attributes, and links among them. Nothing outside
 * is read or written. `check` (may be NULL) is asked often; its error ends the work. */
int32_t wci_tree_copy(wci_fd from, wci_fd to, int32_t (*check)(wc_error **err), wc_error **err);

/* One level of an image, bottom first: T always, X when not empty. Paths of `fs` directories. */
typedef struct wci_level {
    const char *tree;    /* T */
    const char *records; /* what unpacking T recorded */
    const char *links;   /* X or NULL; set for the levels below the one being made */
} wci_level;

/* Makes X for the topmost of `levels` in `dir` (from wci_staging_dir): dir/fs, or nothing and
 * *is_empty 1. The levels below must have theirs. */
int32_t wci_layer_link(const wci_level *levels, size_t count, const char *dir, int *is_empty,
                       wc_error **err);

/* The directories to mount, the lowest first. A tree that is there again further up is left out, as overlayfs takes no
 * directory twice: the upper one shows, hides and merges all that the lower one would. See docs/layers.md. */
int32_t wci_levels_dirs(const wci_level *levels, size_t count, wci_strv *out, wc_error **err);

/* Removes whiteout and opaque marks' effect for tests and `mount`-less use: reads the merged view
 * of levels without mounting. Looks `path` ("a/b", "" is the root) up; WC_E_NOT_FOUND when hidden
 * or absent. *level_path is the owned host path of what the view shows. No link is followed. */
int32_t wci_view_lookup(const wci_level *levels, size_t count, const char *path,
                        char **level_path, wc_error **err);

/* ---- Writing tars ----------------------------------------------------------------------------- */

typedef struct wci_sink {
    int32_t (*write)(void *self, const void *data, size_t size, wc_error **err);
    void *self;
} wci_sink;

/* Packs `name` below the open directory `dir` (a file or a tree; "" packs what dir holds) as a pax
 * tar whose names begin with `as`. Links are packed as links. For cp; layers come with commit. */
int32_t wci_tar_pack(wci_fd dir, const char *name, const char *as, const wci_sink *to,
                     const _Atomic int *stop, wc_error **err);

/* What `dir` holds, with names that begin with "./", and with the holes of files as GNU tar 1.0 writes them. */
int32_t wci_tar_pack_sparse(wci_fd dir, const wci_sink *to, const _Atomic int *stop, wc_error **err);

/* The same for `path` ("a/b", without links in it) of the merged view; WC_E_NOT_FOUND. */
int32_t wci_view_pack(const wci_level *levels, size_t count, const char *path, const char *as,
                      const wci_sink *to, const _Atomic int *stop, wc_error **err);

struct wci_node_info;
/* How a directory becomes a layer. */
typedef struct wci_pack_rules {
    int64_t latest_sec; /* later times become this one; negative: they stay */
    /* 1 for what does not belong into the layer, by its path; NULL: everything does. */
    int (*skip)(void *owner, const char *path, const struct wci_node_info *info);
    void *owner;
} wci_pack_rules;
/* Packs what `dir` holds as a layer tar: sorted, so that the same tree gives the same bytes; whiteouts and
 * opaque directories of overlayfs as the marks of the image specification. */
int32_t wci_layer_pack(wci_fd dir, const wci_pack_rules *rules, const wci_sink *to, wc_error **err);

/* Compressing: what is written to the encoder's sink comes out of `to` in the codec, the same bytes for the
 * same input. */
typedef struct wci_encoder wci_encoder;
int32_t wci_encoder_new(wci_codec codec, const wci_sink *to, wci_encoder **out, wc_error **err);
int32_t wci_encoder_write(void *encoder, const void *data, size_t size, wc_error **err);
int32_t wci_encoder_end(wci_encoder *encoder, wc_error **err);
void wci_encoder_free(wci_encoder *encoder); /* NULL accepted */

/* ---- Reading archives ------------------------------------------------------------------------- */

/* Random access to the members of an uncompressed tar file: oci-archive and docker-archive. */
typedef struct wci_tar_index wci_tar_index;
/* Scans the headers once. Names are cleaned ("./a//b" is "a/b"); the last of equal names wins;
 * links inside the archive are resolved by name, cycles and names that lead out are WC_E_FORMAT. */
int32_t wci_tar_index_open(wc_call *call, wci_fd file, const wci_limits *limits,
                           wci_tar_index **out, wc_error **err);
int32_t wci_tar_index_find(const wci_tar_index *index, const char *name, uint64_t *offset,
                           uint64_t *size, wc_error **err); /* WC_E_NOT_FOUND */
void wci_tar_index_free(wci_tar_index *index);

#endif
