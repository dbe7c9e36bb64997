// memmem is GNU: sources that include this define _GNU_SOURCE first.
// The benchmark's own events: what stands in a row's `info`, and where to find things in an event's text.
//
// `info` begins with the time at which the row was made (CLOCK_MONOTONIC, nanoseconds) and, behind a space, its number
// in the run; letters fill it up.
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline const char *find(const char *text, size_t length, const char *what) {
    size_t wanted = strlen(what);
    const char *found = memmem(text, length, what, wanted);
    return found ? found + wanted : NULL;
}

static inline uint64_t read_number(const char **place, const char *end) {
    uint64_t value = 0;
    while (*place < end && **place >= '0' && **place <= '9') value = value * 10 + (uint64_t)(*(*place)++ - '0');
    return value;
}

// The number behind `key`, such as `"_id":`; 0 where there is none.
static inline uint64_t number_behind(const char *text, size_t length, const char *key) {
    const char *place = find(text, length, key);
    return place ? read_number(&place, text + length) : 0;
}

static inline bool is_event(const char *text, size_t length, const char *name) {
    size_t wanted = strlen(name);
    return length > wanted + 5 && !memcmp(text, "42[\"", 4) && !memcmp(text + 4, name, wanted)
        && text[4 + wanted] == '"';
}

#endif
