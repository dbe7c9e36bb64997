// The load of Benchmarks/fan-out: many logged-in sockets, a number of events, and what these cost the server.
//
// Opens all sockets, sets the events off, waits until each socket has all of its own, and prints one line of JSON.
// It reads the server's CPU time itself, just before it sets the first event off and a settling time after the last
// delivery, so that the figure covers exactly that.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "client.h"
#include "events.h"
#include "measure.h"

static const char *address = "127.0.0.1";
static int port, server_pid;
static int sockets = 100, admins, events = 100, interval_us, bytes = 200, posters = 8, settle_ms = 200;
static double timeout_s = 60;
static bool only_admins;
// How the events are set off: "create", one POST /api/things each; "external", by somebody who waits for the line
// "ready" on our standard output; otherwise the target of the one POST that sets all of them off.
static const char *trigger = "create";
static const char *admin_token = "", *user_token = "";

// ---- the sockets -------------------------------------------------------------------------------

struct receiver {
    struct client client;
    uint32_t events;
    uint64_t last_id;
};
static struct receiver *receivers;
static struct histogram latencies;
static long delivered, leaked, disordered, early, other, event_bytes;
static uint64_t last_delivery;
static bool measuring;

void client_received(struct client *client, const char *text, size_t length, uint64_t now) {
    struct receiver *receiver = (struct receiver *)client;
    if (!is_event(text, length, "thing:save")) {
        other++;
        return;
    }
    receiver->events++;
    delivered++;
    event_bytes += (long)length;
    last_delivery = now;
    if (!measuring) early++;
    if (only_admins && !client->admin) leaked++;
    // Rows are numbered as they are made, and events come in the log's order: a number that does not grow is an event
    // that came twice or out of turn.
    uint64_t id = number_behind(text, length, "\"_id\":"), made = number_behind(text, length, "\"info\":\"");
    if (id <= receiver->last_id) disordered++;
    receiver->last_id = id;
    if (made && made <= now) histogram_add(&latencies, now - made);
}

// ---- HTTP: whoever sets events off ---------------------------------------------------------------

struct poster {
    struct client connection; // only its descriptor is used; first, so that epoll's pointer is either
    bool waiting;
    size_t length;
    char answer[16384];
};
static struct poster *poster_list;
static long posted, accepted, refused;
static struct histogram answers;
static uint64_t *asked_at;

static void post(struct poster *poster, const char *target, const char *body) {
    char request[8192];
    int length = snprintf(
        request, sizeof request,
        "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        target, address, port, admin_token, strlen(body), body);
    if (length >= (int)sizeof request) die("a request of %d bytes", length);
    poster->waiting = true;
    asked_at[poster - poster_list] = now_ns();
    client_send(&poster->connection, request, (size_t)length);
}

static void post_thing(struct poster *poster) {
    char body[4096];
    int length = snprintf(body, sizeof body, "{\"name\":\"bench\",\"info\":\"%llu ", (unsigned long long)now_ns());
    // About `bytes` in the event's text, with the name, the key and the braces.
    int filled = bytes - 60 < (int)sizeof body - 100 ? bytes - 60 : (int)sizeof body - 100;
    for (int i = 0; length < filled; i++) body[length++] = (char)('a' + i % 26);
    const char *admins_only = only_admins ? ",\"admin_only\":true" : "";
    snprintf(body + length, sizeof body - (size_t)length, "\",\"active\":true%s}", admins_only);
    posted++;
    post(poster, "/api/things", body);
}

static void take_answer(struct poster *poster) {
    size_t room = sizeof poster->answer - 1 - poster->length;
    ssize_t count = recv(poster->connection.fd, poster->answer + poster->length, room, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) die("the server closed an HTTP connection");
    poster->length += (size_t)count;
    poster->answer[poster->length] = 0;
    char *body = strstr(poster->answer, "\r\n\r\n"), *declared = strcasestr(poster->answer, "\ncontent-length:");
    if (!body) return;
    size_t whole = (size_t)(body + 4 - poster->answer);
    if (declared && declared < body) whole += strtoul(declared + 16, NULL, 10);
    if (poster->length < whole) return;
    if (!strncmp(poster->answer, "HTTP/1.1 2", 10)) {
        accepted++;
    } else if (!refused++) {
        fprintf(stderr, "refused: %.200s\n", poster->answer);
    }
    histogram_add(&answers, now_ns() - asked_at[poster - poster_list]);
    poster->waiting = false;
    poster->length = 0;
}

static void open_posters(int count) {
    poster_list = calloc((size_t)count + 1, sizeof *poster_list);
    asked_at = calloc((size_t)count + 1, sizeof *asked_at);
    for (int i = 0; i < count; i++) {
        struct poster *poster = &poster_list[i];
        poster->connection.fd = client_connect_socket(0);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = poster};
        epoll_ctl(client_epoll(), EPOLL_CTL_ADD, poster->connection.fd, &event);
    }
}

// ---- the loop ----------------------------------------------------------------------------------

static void wait_until(uint64_t end, int poster_count) {
    struct epoll_event ready[1024];
    uint64_t now = now_ns();
    uint64_t left = end > now ? end - now : 0;
    struct timespec timeout = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
    int count = epoll_pwait2(client_epoll(), ready, 1024, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        struct poster *poster = ready[i].data.ptr;
        if (poster >= poster_list && poster < poster_list + poster_count) {
            take_answer(poster);
        } else {
            client_ready_for(ready[i].data.ptr, ready[i].events);
        }
    }
}

static void open_receivers(uint64_t deadline) {
    receivers = calloc((size_t)sockets, sizeof *receivers);
    int next = 0;
    while (client_totals.ready + client_totals.failed + client_totals.dropped < sockets && now_ns() < deadline) {
        for (; next < sockets && client_totals.connecting < 128; next++) {
            struct client *client = &receivers[next].client;
            // Spread evenly among the others.
            client->admin = (long)(next + 1) * admins / sockets != (long)next * admins / sockets;
            client->token = client->admin ? admin_token : user_token;
            client_open(client);
        }
        wait_until(now_ns() + 50000000, 0);
    }
}

static void settle(int poster_count) {
    for (uint64_t end = now_ns() + (uint64_t)settle_ms * 1000000; now_ns() < end;) wait_until(end, poster_count);
}

// Sets off what is due, and returns when to come back.
static uint64_t set_off(uint64_t started, int poster_count) {
    uint64_t now = now_ns();
    for (int i = 0; i < poster_count && posted < events; i++) {
        uint64_t due = started + (uint64_t)posted * (uint64_t)interval_us * 1000;
        if (due > now) return due;
        if (!poster_list[i].waiting) post_thing(&poster_list[i]);
    }
    return now + 20000000;
}

static void read_options(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i];
        if (!strcmp(name, "--only-admins")) {
            only_admins = true;
            continue;
        }
        if (i + 1 == count) die("%s needs a value", name);
        const char *value = arguments[++i];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--pid")) server_pid = atoi(value);
        else if (!strcmp(name, "--sockets")) sockets = atoi(value);
        else if (!strcmp(name, "--admins")) admins = atoi(value);
        else if (!strcmp(name, "--events")) events = atoi(value);
        else if (!strcmp(name, "--interval-us")) interval_us = atoi(value);
        else if (!strcmp(name, "--bytes")) bytes = atoi(value);
        else if (!strcmp(name, "--posters")) posters = atoi(value);
        else if (!strcmp(name, "--trigger")) trigger = value;
        else if (!strcmp(name, "--admin-token")) admin_token = value;
        else if (!strcmp(name, "--user-token")) user_token = value;
        else if (!strcmp(name, "--settle-ms")) settle_ms = atoi(value);
        else if (!strcmp(name, "--timeout")) timeout_s = atof(value);
        else die("unknown option %s", name);
    }
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    read_options(count, arguments);
    raise_descriptor_limit();
    client_set_server(address, port);
    uint64_t deadline = now_ns() + (uint64_t)(timeout_s * 1e9);
    struct usage before_all = usage_of(server_pid);
    open_receivers(deadline);

    bool creates = !strcmp(trigger, "create"), external = !strcmp(trigger, "external");
    int poster_count = creates ? posters : external ? 0 : 1;
    open_posters(poster_count);
    settle(poster_count);

    struct usage before = usage_of(server_pid);
    uint64_t own_before = own_cpu_ns(), started = now_ns();
    long reads_before = client_totals.reads;
    long receiving = only_admins ? admins : sockets, wanted = receiving * events;
    measuring = true;
    if (external) {
        puts("ready");
        fflush(stdout);
    } else if (!creates) {
        post(&poster_list[0], trigger, "");
    }
    while (now_ns() < deadline && (delivered < wanted || (creates && accepted + refused < events))) {
        wait_until(creates ? set_off(started, poster_count) : now_ns() + 20000000, poster_count);
        if (client_totals.dropped || refused) break;
    }
    uint64_t own_after = own_cpu_ns(), ended = now_ns();
    // What is still on its way is counted, too: the cost of it, and an event that nobody should have got.
    settle(poster_count);
    struct usage after = usage_of(server_pid);

    long incomplete = 0;
    for (int i = 0; i < sockets; i++) {
        bool receives = receivers[i].client.admin || !only_admins;
        if (receivers[i].events != (receives ? (uint32_t)events : 0)) incomplete++;
    }
    bool ok = !incomplete && !leaked && !disordered && !early && !refused && client_totals.ready == sockets;
    double cpu_us = (double)(after.cpu_ns - before.cpu_ns) / 1e3;
    double user = (double)(after.user_ticks - before.user_ticks);
    double system = (double)(after.system_ticks - before.system_ticks);
    double own_us = (double)(own_after - own_before) / 1e3, wall_us = (double)(ended - started) / 1e3;
    printf(
        "{\"ok\":%s,\"sockets\":%ld,\"wanted\":%ld,\"delivered\":%ld,\"incomplete\":%ld,\"leaked\":%ld,"
        "\"disordered\":%ld,\"early\":%ld,\"other\":%ld,\"failed\":%ld,\"dropped\":%ld,\"refused\":%ld,"
        "\"started_ns\":%llu,\"last_delivery_ns\":%llu,\"cpu_us\":%.0f,\"user_share\":%.4f,"
        "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"answer_p50_us\":%.1f,\"answer_p99_us\":%.1f,"
        "\"bytes_per_event\":%.1f,\"events_per_read\":%.2f,\"generator_busy\":%.3f,\"generator_us\":%.0f,"
        "\"rss_before_kb\":%ld,\"rss_open_kb\":%ld,\"rss_after_kb\":%ld}\n",
        ok ? "true" : "false", client_totals.ready, wanted, delivered, incomplete, leaked, disordered, early, other,
        client_totals.failed, client_totals.dropped, refused, (unsigned long long)started,
        (unsigned long long)last_delivery, cpu_us, user / (user + system > 0 ? user + system : 1),
        histogram_us(&latencies, 0.5), histogram_us(&latencies, 0.99), (double)latencies.max / 1e3,
        histogram_us(&answers, 0.5), histogram_us(&answers, 0.99),
        delivered ? (double)event_bytes / (double)delivered : 0,
        client_totals.reads > reads_before ? (double)delivered / (double)(client_totals.reads - reads_before) : 0,
        own_us / wall_us, own_us, before_all.rss_kb, before.rss_kb, after.rss_kb);
    return ok ? 0 : 1;
}
