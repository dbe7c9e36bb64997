#ifndef CNCURSES_SHIM_H
#define CNCURSES_SHIM_H

// Both must precede <ncurses.h>: without them it declares no wide-character calls.
#ifndef _XOPEN_SOURCE_EXTENDED
#define _XOPEN_SOURCE_EXTENDED 1
#endif
#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif

#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

// Swift imports neither mutable globals (a data race under Swift 6), nor macros with casts, nor variadic functions.
// Everything here runs on the thread that owns the screen.

static inline WINDOW *cn_stdscr(void) { return stdscr; }
static inline int cn_lines(void) { return LINES; }
static inline int cn_columns(void) { return COLS; }
static inline int cn_colors(void) { return COLORS; }
static inline int cn_color_pairs(void) { return COLOR_PAIRS; }
static inline FILE *cn_stdout(void) { return stdout; }
static inline FILE *cn_stdin(void) { return stdin; }

static const attr_t cn_bold = A_BOLD, cn_dim = A_DIM, cn_italic = A_ITALIC, cn_underline = A_UNDERLINE,
    cn_reverse = A_REVERSE;

/// How many `wchar_t` one curses cell can hold: a base and its marks.
enum { cn_cell_capacity = CCHARW_MAX };

// <term.h> is left out: it defines several hundred capability macros as bare words (`lines`, `tab`, `bell` …).
// These are all that is needed of it.
extern NCURSES_EXPORT(char *) tigetstr(const char *);
extern NCURSES_EXPORT(char *) tiparm(const char *, ...);
extern NCURSES_EXPORT(int) setupterm(const char *, int, int *);
extern NCURSES_EXPORT(int) tigetflag(const char *);
extern NCURSES_EXPORT(int) putp(const char *);
struct term;
extern NCURSES_EXPORT(struct term *) set_curterm(struct term *);
extern NCURSES_EXPORT(int) del_curterm(struct term *);

/// A string capability of the open terminal, or null where it is absent or not a string.
static inline const char *cn_capability(const char *name) {
    char *value = tigetstr(name);
    return value == (char *)-1 ? NULL : value;
}

/// Lets go of the description that `setupterm` made.
static inline void cn_forget_terminal(void) { del_curterm(set_curterm(NULL)); }

/// The bytes of a capability that takes two numbers (`cup`). Valid until the next call.
static inline const char *cn_expand(const char *capability, int first, int second) {
    return tiparm(capability, first, second);
}

/// `true` where the terminal cannot hold a character in its last column without wrapping at once: writing the last
/// cell of the last row would scroll it.
static inline bool cn_wraps_at_once(void) { return tigetflag("am") == 1 && tigetflag("xenl") != 1; }

/// Sends the sequence that turns the terminal to these attributes, as `vid_puts` does, through standard output's
/// buffer, so that curses knows what is set.
static inline int cn_set_attributes(attr_t attributes, int pair) {
    return vid_puts(attributes, 0, &pair, putchar);
}

// Hidden in <wchar.h> from who does not ask for X/Open, which comes too late where Swift has read it already.
extern int wcwidth(wchar_t);

/// The columns the C library gives `character`, by which curses counts; −1 where it does not know it.
static inline int cn_width(wchar_t character) { return wcwidth(character); }

/// The number of bytes of `character` in the current locale, or −1 where the locale cannot say it.
static inline int cn_encoded_length(wchar_t character) {
    char bytes[32];
    mbstate_t state = {0};
    size_t length = wcrtomb(bytes, character, &state);
    return length == (size_t)-1 ? -1 : (int)length;
}

#endif
