// The sockets of Benchmarks/identity: many logged-in ones that wait to be told who they are.
//
// Opens all sockets, spread evenly over the tokens, and prints "ready". Whenever each of them has been told of a new
// role, it prints when the first and the last one was: "told FIRST LAST", in nanoseconds. It ends with its input.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>

#include "client.h"
#include "events.h"
#include "measure.h"

static int port, sockets = 100, token_count;
static const char *tokens[1024];
static double timeout_s = 60;

struct receiver {
    struct client client;
    long round;
};
static struct receiver *receivers;
static long round_number = 1, told;
static uint64_t first_told;

void client_received(struct client *client, const char *text, size_t length, uint64_t now) {
    struct receiver *receiver = (struct receiver *)client;
    if (!is_event(text, length, "identity") || !find(text, length, "\"reason\":\"role_changed\"")) return;
    if (receiver->round == round_number) die("a socket was told twice of one change");
    receiver->round = round_number;
    if (!told++) first_told = now;
    if (told < sockets) return;
    printf("told %llu %llu\n", (unsigned long long)first_told, (unsigned long long)now);
    fflush(stdout);
    told = 0;
    round_number++;
}

static void wait_a_little(int milliseconds) {
    struct epoll_event ready[1024];
    int count = epoll_wait(client_epoll(), ready, 1024, milliseconds);
    for (int i = 0; i < count; i++) {
        if (ready[i].data.ptr) client_ready_for(ready[i].data.ptr, ready[i].events);
    }
}

static bool input_has_ended(void) {
    char byte;
    ssize_t count = read(STDIN_FILENO, &byte, 1);
    return count == 0 || (count < 0 && errno != EAGAIN);
}

static void read_options(int count, char **arguments) {
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = arguments[i], *value = arguments[i + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--sockets")) sockets = atoi(value);
        else if (!strcmp(name, "--timeout")) timeout_s = atof(value);
        else if (!strcmp(name, "--token") && token_count < 1024) tokens[token_count++] = value;
        else die("unknown option %s", name);
    }
    if (!port || !token_count || sockets < 1) die("--port, --sockets and at least one --token are needed");
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    read_options(count, arguments);
    raise_descriptor_limit();
    client_set_server("127.0.0.1", port);
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    receivers = calloc((size_t)sockets, sizeof *receivers);
    uint64_t deadline = now_ns() + (uint64_t)(timeout_s * 1e9);
    for (int next = 0; client_totals.ready < sockets;) {
        for (; next < sockets && client_totals.connecting < 128; next++) {
            receivers[next].client.token = tokens[next % token_count];
            client_open(&receivers[next].client);
        }
        wait_a_little(50);
        if (client_totals.failed || client_totals.dropped) die("a socket was not let in");
        if (now_ns() > deadline) die("%ld of %d sockets are ready", client_totals.ready, sockets);
    }
    puts("ready");
    fflush(stdout);
    while (!input_has_ended()) {
        wait_a_little(20);
        if (client_totals.dropped) die("a socket was dropped");
    }
    return 0;
}
