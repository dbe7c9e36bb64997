#define _GNU_SOURCE
#include "CTerminalGuard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGSYS};
static const int event_signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

enum {
    crash_count = sizeof crash_signals / sizeof *crash_signals,
    event_count = sizeof event_signals / sizeof *event_signals,
    stack_size = 64 * 1024,
};

// Written while `active` is false and read by handlers only while it is true, so that a handler never sees them change.
static struct {
    int descriptor;
    struct termios original;
    unsigned char bytes[terminal_guard_capacity];
    size_t length;
} remembered;

static atomic_bool active;
static atomic_bool crash_handlers_installed;
static struct sigaction previous_crash[crash_count];
static struct sigaction previous_event[event_count];
static atomic_bool event_installed[event_count];
static atomic_int event_descriptor = -1;
static atomic_bool input_has_ended;
// When the oldest unacknowledged byte of each signal was written, in milliseconds of the monotonic clock; 0 for none.
static atomic_llong unacknowledged[event_count];

static long long milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

static void write_all(int descriptor, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes += written;
        length -= (size_t)written;
    }
}

void terminal_guard_restore(void) {
    if (!atomic_exchange(&active, false)) return;
    int saved_errno = errno;
    pid_t foreground = tcgetpgrp(remembered.descriptor);
    if (foreground <= 0 || foreground == getpgrp()) {
        // Without this, setting the modes from the background would stop the process instead.
        sigset_t output, before;
        sigemptyset(&output);
        sigaddset(&output, SIGTTOU);
        pthread_sigmask(SIG_BLOCK, &output, &before);
        write_all(remembered.descriptor, remembered.bytes, remembered.length);
        while (tcsetattr(remembered.descriptor, TCSANOW, &remembered.original) < 0 && errno == EINTR) {
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    errno = saved_errno;
}

bool terminal_guard_set_active(bool value) {
    return atomic_exchange(&active, value);
}

// MARK: Crashes

static void on_crash(int signal_number, siginfo_t *info, void *context) {
    (void)context;
    terminal_guard_restore();
    for (int index = 0; index < crash_count; index++) {
        if (crash_signals[index] == signal_number) sigaction(signal_number, &previous_crash[index], NULL);
    }
    // A fault happens again when the instruction is tried again, now with its own address for the previous action to
    // see. A signal that was sent (kill, raise, abort) does not: send it again. It is blocked until this returns.
    if (info->si_code <= 0) raise(signal_number);
}

static pthread_key_t stack_key;
static _Thread_local bool is_covered;

static void free_stack(void *stack) {
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    munmap(stack, stack_size);
}

static void make_stack_key(void) {
    pthread_key_create(&stack_key, free_stack);
}

void terminal_guard_cover_thread(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (is_covered) return;
    is_covered = true;
    // One that is there already is somebody's who had a reason.
    stack_t stack;
    if (sigaltstack(NULL, &stack) != 0 || !(stack.ss_flags & SS_DISABLE)) return;
    pthread_once(&once, make_stack_key);
    void *memory = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    stack = (stack_t){.ss_sp = memory, .ss_size = stack_size};
    if (sigaltstack(&stack, NULL) != 0 || pthread_setspecific(stack_key, memory) != 0) free_stack(memory);
}

static void install_crash_handlers(void) {
    if (atomic_exchange(&crash_handlers_installed, true)) return;
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int index = 0; index < crash_count; index++) {
        sigaction(crash_signals[index], &action, &previous_crash[index]);
    }
}

int terminal_guard_arm(int descriptor, const struct termios *original, const void *bytes, size_t length) {
    static bool at_exit_registered;
    if (length > terminal_guard_capacity) return EINVAL;
    atomic_store(&active, false);
    remembered.descriptor = descriptor;
    remembered.original = *original;
    memcpy(remembered.bytes, bytes, length);
    remembered.length = length;
    install_crash_handlers();
    if (!at_exit_registered) at_exit_registered = atexit(terminal_guard_restore) == 0;
    return 0;
}

// MARK: Events

static bool ends_the_process(int signal_number) {
    return signal_number == SIGTERM || signal_number == SIGHUP || signal_number == SIGINT || signal_number == SIGQUIT;
}

static void on_event(int signal_number) {
    int saved_errno = errno;
    int index = 0;
    while (index < event_count && event_signals[index] != signal_number) index++;
    if (index < event_count && ends_the_process(signal_number)) {
        long long none = 0;
        long long now = milliseconds_now();
        if (!atomic_compare_exchange_strong(&unacknowledged[index], &none, now) && now - none >= 1000) {
            terminal_guard_restore();
            signal(signal_number, SIG_DFL);
            raise(signal_number);
        }
    }
    unsigned char byte = (unsigned char)signal_number;
    // A full pipe holds thousands of signals that nobody reads: one more or less does not matter.
    if (write(atomic_load(&event_descriptor), &byte, 1) < 0) {
    }
    errno = saved_errno;
}

static struct sigaction event_action(void) {
    struct sigaction action = {.sa_handler = on_event, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    return action;
}

void terminal_guard_watch(int descriptor) {
    atomic_store(&event_descriptor, descriptor);
    atomic_store(&input_has_ended, false);
    struct sigaction action = event_action();
    for (int index = 0; index < event_count; index++) {
        int signal_number = event_signals[index];
        if (atomic_load(&event_installed[index])) continue;
        sigaction(signal_number, NULL, &previous_event[index]);
        bool may_stay_ignored = ends_the_process(signal_number) || signal_number == SIGTSTP;
        if (may_stay_ignored && previous_event[index].sa_handler == SIG_IGN) continue;
        atomic_store(&unacknowledged[index], 0);
        atomic_store(&event_installed[index], true);
        sigaction(signal_number, &action, NULL);
    }
}

void terminal_guard_acknowledge(int signal_number) {
    for (int index = 0; index < event_count; index++) {
        if (event_signals[index] == signal_number) atomic_store(&unacknowledged[index], 0);
    }
}

void terminal_guard_input_ended(void) {
    atomic_store(&input_has_ended, true);
}

void terminal_guard_disarm(void) {
    for (int index = 0; index < event_count; index++) {
        if (!atomic_exchange(&event_installed[index], false)) continue;
        // A terminal that is closed ends its input first and hangs up a moment later. By then the program is on its
        // way out and has nothing left to learn from the signal, which must not kill it there.
        if (event_signals[index] == SIGHUP && atomic_load(&input_has_ended)) {
            signal(SIGHUP, SIG_IGN);
        } else {
            sigaction(event_signals[index], &previous_event[index], NULL);
        }
    }
    atomic_store(&event_descriptor, -1);
    if (atomic_exchange(&crash_handlers_installed, false)) {
        for (int index = 0; index < crash_count; index++) {
            sigaction(crash_signals[index], &previous_crash[index], NULL);
        }
    }
}

// MARK: Ctrl-Z

bool terminal_guard_stop(void) {
    struct sigaction current;
    sigaction(SIGTSTP, NULL, &current);
    if (current.sa_handler == SIG_IGN) return false;
    signal(SIGTSTP, SIG_DFL);
    // SIGTSTP, not SIGSTOP: the kernel leaves an orphaned process group alone, which nobody could continue. The whole
    // group, as the terminal does it: a shell has its prompt back only when every process of the job has stopped.
    kill(0, SIGTSTP);
    return true;
}

void terminal_guard_continue(void) {
    for (int index = 0; index < event_count; index++) {
        if (event_signals[index] != SIGTSTP || !atomic_load(&event_installed[index])) continue;
        struct sigaction action = event_action();
        sigaction(SIGTSTP, &action, NULL);
    }
}
