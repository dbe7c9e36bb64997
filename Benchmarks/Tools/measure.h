// What every tool here measures with: the clock, a histogram, and what a process used.
#ifndef MEASURE_H
#define MEASURE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// Nanoseconds of CLOCK_MONOTONIC: the clock that the events' times are given in, by all processes.
static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

// As many descriptors as this process may have.
static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// ---- latencies ---------------------------------------------------------------------------------

// Log-linear: 64 steps for each power of two, so a quantile is right within 1.6 %.
struct histogram {
    uint64_t count, max, steps[64 * 64];
};

static inline void histogram_add(struct histogram *h, uint64_t value) {
    if (value < 64) {
        h->steps[value]++;
    } else {
        int top = 63 - __builtin_clzll(value);
        h->steps[(top - 5) * 64 + (int)((value >> (top - 6)) & 63)]++;
    }
    h->count++;
    if (value > h->max) h->max = value;
}

// In microseconds, of values in nanoseconds.
static inline double histogram_us(const struct histogram *h, double quantile) {
    uint64_t wanted = (uint64_t)(quantile * (double)h->count), seen = 0;
    if (!h->count) return 0;
    for (int i = 0; i < 64 * 64; i++) {
        if ((seen += h->steps[i]) <= wanted) continue;
        if (i < 64) return i / 1e3;
        int top = i / 64 + 5;
        return (double)((1ull << top) + ((uint64_t)(i % 64) << (top - 6))) / 1e3;
    }
    return (double)h->max / 1e3;
}

// ---- what a process used -----------------------------------------------------------------------

struct usage {
    uint64_t cpu_ns;              // of all threads, those that have ended among them: exact
    uint64_t user_ticks, system_ticks; // hundredths of a second: rough
    long rss_kb;
};

static inline struct usage usage_of(int pid) {
    struct usage usage = {0};
    char path[320], line[1024];
    if (!pid) return usage;

    // The process's own clock: Dispatch ends threads that have nothing to do, and a sum over those that are left would
    // lose what they took, or fall below what it was before.
    clockid_t clock;
    struct timespec taken;
    if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &taken) == 0)
        usage.cpu_ns = (uint64_t)taken.tv_sec * 1000000000ull + (uint64_t)taken.tv_nsec;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file && fgets(line, sizeof line, file)) {
        unsigned long user = 0, system = 0;
        static const char fields[] = "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
        char *behind_name = strrchr(line, ')');
        if (behind_name && sscanf(behind_name + 2, fields, &user, &system) == 2) {
            usage.user_ticks = user;
            usage.system_ticks = system;
        }
    }
    if (file) fclose(file);

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    if ((file = fopen(path, "r"))) {
        while (fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld", &usage.rss_kb);
        fclose(file);
    }
    return usage;
}

// This process's own CPU time, in nanoseconds.
static inline uint64_t own_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

#endif
