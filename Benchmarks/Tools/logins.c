// The storm of Benchmarks/logins: so many logins a second with a wrong password, whatever becomes of them.
//
// Each attempt is begun when it is due, on a connection of its own, and never waits for another: a server that answers
// late or not at all has just as many to answer. Every other one is at an account that nobody else has tried, which
// does not exist; those between are at the given accounts, in turn. It begins with the line "begun", ends with its
// input, waits for the answers that are still due, and prints one line of JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "measure.h"

enum { STATUSES = 16, MOST_ACCOUNTS = 1024 };

static int port, epoll;
static double rate = 200, patience_s = 60;
static const char *accounts[MOST_ACCOUNTS];
static uint64_t account_count;

// ---- what became of them -------------------------------------------------------------------------

// By status, in the order in which they were first seen; 0 is an attempt that was not answered.
static struct outcome {
    int status;
    struct histogram answers; // from when the attempt was due
} outcomes[STATUSES];
static int outcome_count;
static uint64_t begun, ended;
static struct histogram lateness; // from when an attempt was due until it was begun

static void count_outcome(int status, uint64_t took) {
    int place = 0;
    while (place < outcome_count && outcomes[place].status != status) place++;
    if (place == STATUSES) die("more than %d different statuses", STATUSES);
    if (place == outcome_count) outcomes[outcome_count++].status = status;
    histogram_add(&outcomes[place].answers, took);
    ended++;
}

// ---- attempts ------------------------------------------------------------------------------------

struct attempt {
    int fd;               // -1 while the attempt is free
    struct attempt *next; // the next free one
    uint64_t due;
    bool asked;
    size_t length;
    char answer[4096];
};

// Allocated one by one and kept: epoll and the list of the free ones hold their addresses.
static struct attempt **attempts, *free_attempts;
static size_t attempt_count, attempt_room;

static struct attempt *take_attempt(void) {
    struct attempt *attempt = free_attempts;
    if (attempt) {
        free_attempts = attempt->next;
        return attempt;
    }
    if (attempt_count == attempt_room) {
        attempt_room = attempt_room ? 2 * attempt_room : 256;
        attempts = realloc(attempts, attempt_room * sizeof *attempts);
        if (!attempts) die("no memory for %zu attempts", attempt_room);
    }
    attempt = calloc(1, sizeof *attempt);
    if (!attempt) die("no memory for an attempt");
    return attempts[attempt_count++] = attempt;
}

static void end(struct attempt *attempt, int status) {
    count_outcome(status, now_ns() - attempt->due);
    if (attempt->fd >= 0) close(attempt->fd);
    attempt->fd = -1;
    attempt->next = free_attempts;
    free_attempts = attempt;
}

static void watch(struct attempt *attempt, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = attempt};
    if (epoll_ctl(epoll, operation, attempt->fd, &event)) die("epoll_ctl: %s", strerror(errno));
}

static void begin(uint64_t due) {
    struct attempt *attempt = take_attempt();
    attempt->due = due;
    attempt->asked = false;
    attempt->length = 0;
    histogram_add(&lateness, now_ns() - due);
    attempt->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (attempt->fd < 0
        || (connect(attempt->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS)) {
        end(attempt, 0);
        return;
    }
    watch(attempt, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void ask(struct attempt *attempt) {
    static uint64_t number;
    char body[512], request[1024];
    int length;
    if (number % 2 && account_count) {
        const char *email = accounts[number / 2 % account_count];
        length = snprintf(body, sizeof body, "{\"email\":\"%s\",\"password\":\"a wrong one\"}", email);
    } else {
        length = snprintf(
            body, sizeof body, "{\"email\":\"nobody.%d.%llu@example.com\",\"password\":\"a wrong one\"}", getpid(),
            (unsigned long long)number);
    }
    number++;
    if (length >= (int)sizeof body) die("an account's address is too long");
    length = snprintf(
        request, sizeof request,
        "POST /auth/local HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
        "Connection: close\r\nContent-Length: %d\r\n\r\n%s",
        port, length, body);
    attempt->asked = true;
    // The first bytes of a connection: there is room for all of them, or the connection is broken.
    if (send(attempt->fd, request, (size_t)length, MSG_NOSIGNAL) != length) {
        end(attempt, 0);
        return;
    }
    watch(attempt, EPOLL_CTL_MOD, EPOLLIN);
}

// The status of an answer that is there whole; 0 while it is not, or where it is none.
static int whole_status(struct attempt *attempt) {
    char *body = strstr(attempt->answer, "\r\n\r\n"), *declared = strcasestr(attempt->answer, "\ncontent-length:");
    int status = 0;
    if (!body || !declared || declared > body) return 0;
    size_t whole = (size_t)(body + 4 - attempt->answer) + strtoul(declared + 16, NULL, 10);
    if (attempt->length < whole || sscanf(attempt->answer, "HTTP/1.1 %3d ", &status) != 1) return 0;
    return status;
}

static void take_answer(struct attempt *attempt) {
    size_t room = sizeof attempt->answer - 1 - attempt->length;
    ssize_t count = recv(attempt->fd, attempt->answer + attempt->length, room, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        end(attempt, 0);
        return;
    }
    attempt->length += (size_t)count;
    attempt->answer[attempt->length] = 0;
    int status = whole_status(attempt);
    if (status) end(attempt, status);
}

static void on_ready(struct attempt *attempt, uint32_t events) {
    if (!attempt->asked && events & EPOLLOUT && !(events & (EPOLLERR | EPOLLHUP))) {
        ask(attempt);
    } else if (!attempt->asked) {
        end(attempt, 0);
    } else {
        take_answer(attempt);
    }
}

static void end_those_due_before(uint64_t moment) {
    for (size_t i = 0; i < attempt_count; i++) {
        if (attempts[i]->fd >= 0 && attempts[i]->due < moment) end(attempts[i], 0);
    }
}

// ---- the loop ------------------------------------------------------------------------------------

static void wait_until(uint64_t moment) {
    struct epoll_event ready[1024];
    uint64_t now = now_ns();
    uint64_t left = moment > now ? moment - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
    int count = epoll_pwait2(epoll, ready, 1024, &timeout, NULL);
    for (int i = 0; i < count; i++) on_ready(ready[i].data.ptr, ready[i].events);
}

static bool input_has_ended(void) {
    char byte;
    ssize_t count = read(STDIN_FILENO, &byte, 1);
    return count == 0 || (count < 0 && errno != EAGAIN);
}

static void print_report(uint64_t started, uint64_t stopped, uint64_t cpu) {
    double seconds = (double)(stopped - started) / 1e9;
    printf(
        "{\"asked\":%.1f,\"seconds\":%.3f,\"begun\":%llu,\"late_p99_us\":%.1f,\"busy\":%.4f,\"outcomes\":[", rate,
        seconds, (unsigned long long)begun, histogram_us(&lateness, 0.99), (double)cpu / (double)(stopped - started));
    for (int i = 0; i < outcome_count; i++) {
        struct histogram *answers = &outcomes[i].answers;
        printf(
            "%s{\"status\":%d,\"count\":%llu,\"p50_us\":%.1f,\"p95_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}",
            i ? "," : "", outcomes[i].status, (unsigned long long)answers->count, histogram_us(answers, 0.5),
            histogram_us(answers, 0.95), histogram_us(answers, 0.99), (double)answers->max / 1e3);
    }
    puts("]}");
}

static void read_options(int count, char **arguments) {
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count) die("%s needs a value", arguments[i]);
        const char *name = arguments[i], *value = arguments[i + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--rate")) rate = atof(value);
        else if (!strcmp(name, "--patience")) patience_s = atof(value);
        else if (!strcmp(name, "--account") && account_count < MOST_ACCOUNTS) accounts[account_count++] = value;
        else die("unknown option, or one too many: %s", name);
    }
    if (!port || rate <= 0) die("--port and a --rate above 0 are needed");
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    read_options(count, arguments);
    raise_descriptor_limit();
    if ((epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll: %s", strerror(errno));
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);

    uint64_t started = now_ns(), own = own_cpu_ns(), patience = (uint64_t)(patience_s * 1e9), looked = started;
    puts("begun");
    fflush(stdout);
    while (!input_has_ended()) {
        uint64_t due;
        while ((due = started + (uint64_t)((double)begun * 1e9 / rate)) <= now_ns()) {
            begun++;
            begin(due);
        }
        uint64_t now = now_ns();
        if (now - looked > 100000000) {
            looked = now;
            end_those_due_before(now > patience ? now - patience : 0);
        }
        wait_until(due < now + 100000000 ? due : now + 100000000);
    }
    uint64_t stopped = now_ns(), cpu = own_cpu_ns() - own;
    while (ended < begun && now_ns() < stopped + patience) wait_until(now_ns() + 100000000);
    end_those_due_before(UINT64_MAX);
    print_report(started, stopped, cpu);
    return 0;
}
