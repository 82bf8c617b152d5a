/* SPDX-License-Identifier: Apache-2.0 */
/* Two threads of the host beside the one that calls the library. One looks at the process all the
 * time; the other makes children, and programs that list the descriptors they were born with. */
#ifndef HOST_WATCH_H
#define HOST_WATCH_H

typedef struct watch_counts {
    long looks;
    long library_descriptors; /* sightings of descriptors below the library's directory */
    long library_threads;
    long library_children; /* sightings of the intermediates that start helpers */
    long lists;
} watch_counts;

/* `self` is this program, `dir` where the library keeps its files. The threads stand still. */
void watch_start(const char *self, const char *dir);
/* What is now is how it has to stay. Called by the thread that will call the library. */
void watch_begin(void);
/* Stands still again; returns when both do. */
void watch_end(void);
void watch_finish(watch_counts *counts);
/* What was wrong, a line each; NULL when nothing was. Lent. */
const char *watch_complaints(void);

/* What watch_start()'s programs do. */
int watch_list_descriptors(void);
#define WATCH_ROLE "--list-descriptors"

#endif
