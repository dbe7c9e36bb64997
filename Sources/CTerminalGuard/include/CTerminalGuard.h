#ifndef CTERMINALGUARD_H
#define CTERMINALGUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

// The part of a terminal screen that must work inside signal handlers, where neither Swift nor curses may run.
// One process has one terminal: all state is the process's. Nothing here allocates.

/// Remembers how to leave the terminal as it was found, and installs handlers that do so when the process crashes
/// (SEGV, BUS, ILL, TRAP, FPE, ABRT, SYS: on an alternate stack where the thread has one) or calls exit(). A crash
/// handler writes `bytes`, sets `original`, puts the previous action back and lets the signal take that.
///
/// Calling it again replaces what is remembered. Nothing is restored before `terminal_guard_set_active(true)`.
///
/// Returns 0, or an errno: EINVAL where `length` is more than `terminal_guard_capacity`.
int terminal_guard_arm(int descriptor, const struct termios *original, const void *bytes, size_t length);

/// Gives the calling thread an alternate stack if it has none, so that the terminal is restored after an overflow of
/// its own one as well. Costs next to nothing the second time. The memory is freed when the thread ends.
void terminal_guard_cover_thread(void);

/// The most bytes that can be remembered.
enum { terminal_guard_capacity = 1024 };

/// Whether the terminal is in the program's hands now. Returns what it was.
bool terminal_guard_set_active(bool active);

/// Writes the remembered bytes and sets the remembered modes, if the terminal is in the program's hands, and it no
/// longer is. Leaves alone a terminal whose foreground belongs to another process group. Safe in a signal handler, and
/// any number of times.
void terminal_guard_restore(void);

/// The terminal's input has come to its end: it was closed, and HUP will follow or has come already. It stays ignored
/// when the other signals are given back.
void terminal_guard_input_ended(void);

/// Puts the previous actions of all signals back.
void terminal_guard_disarm(void);

/// Has TERM, HUP, INT, QUIT, TSTP, CONT and WINCH written to `descriptor` (non-blocking), one byte with the signal's
/// number each. TERM, HUP, INT, QUIT and TSTP stay ignored where the process was started with them ignored.
///
/// A program that no longer reads can still be ended: where one of TERM, HUP, INT and QUIT was written and not
/// acknowledged for a second, the next restores the terminal and ends the process by its default action.
void terminal_guard_watch(int descriptor);

/// The byte of this signal has been read.
void terminal_guard_acknowledge(int signal);

/// Stops the process group as Ctrl-Z does on a terminal without a program. Returns when the process runs again or at
/// once: the stop may reach another thread first, and come a moment after this returns, and it never comes where the
/// process group is orphaned. `false` where SIGTSTP is ignored, so that nothing stops.
bool terminal_guard_stop(void);

/// Takes SIGTSTP as an event again.
void terminal_guard_continue(void);

#endif
