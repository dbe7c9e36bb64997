// The load of Benchmarks/slow-consumers: sockets that take everything, and sockets that stop taking anything.
//
// It is told what to do on standard input, a command a line, and answers each with one line of JSON:
//   healthy N        opens N sockets that always read; they must get every event, once and in order
//   phase            begins a new phase, and tells the latencies of the one before
//   interval         likewise for an interval within a phase
//   slow N BYTES     opens N sockets with a receive buffer of BYTES, and stops reading them once they are logged in
//   finish E S       waits until the healthy have event E, S seconds at most, and judges what they got
//   drain E S KEYS   reads the slow ones again until they are through, S seconds at most, and judges their streams;
//                    the events are over KEYS rows in turn, or each of a row of its own where KEYS is 0
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "client.h"
#include "events.h"
#include "json.h"
#include "measure.h"

struct gap {
    uint64_t after, before; // numbers in the log; what is behind the one, up to the other, is lost
};

struct receiver {
    struct client client;
    bool slow, drained;
    uint64_t last_event; // its number in the run
    uint64_t last_log;   // its number in the log, of an event or a gap's end
    long events, lost, doubled, disordered, malformed, other;
    // The slow ones':
    uint64_t joined_log; // where the log stood when it logged in
    long folded_events;
    uint64_t folded_sum;
    uint8_t *seen; // a bit for each event
    struct gap *gaps;
    size_t gap_count;
    char reason[24]; // of the last gap
};

enum { MOST_EVENTS = 1 << 24 };

static struct receiver *healthy, *slow;
static int healthy_count, slow_count;
static const char *token = "";
// Latencies and what they were measured in: a phase, and an interval within it.
struct stretch {
    struct histogram latencies;
    uint64_t started, cpu;
};
static struct stretch phase, interval;
// The log's number of each event, as the healthy were told.
static uint64_t *log_numbers;

// ---- what comes in -------------------------------------------------------------------------------

static uint64_t read_hex(const char *digits, const char *end) {
    uint64_t value = 0;
    for (; digits < end; digits++) {
        const char *place = *digits ? strchr("0123456789abcdef", *digits) : NULL;
        if (!place) return 0;
        value = value << 4 | (uint64_t)(place - "0123456789abcdef");
    }
    return value;
}

// The log's number in a position: 12 digits of the log's name, "-", 16 of the number.
static uint64_t position_at(const char *place, const char *end) {
    return place && end - place >= 29 && place[12] == '-' ? read_hex(place + 13, place + 29) : 0;
}

// The position that stands last among an event's arguments.
static uint64_t last_position(const char *text, size_t length) {
    return length > 33 && !memcmp(text + length - 2, "\"]", 2) ? position_at(text + length - 31, text + length - 2) : 0;
}

static void told_gap(struct receiver *receiver, const char *text, size_t length) {
    const char *end = text + length, *reason = find(text, length, "\"reason\":\"");
    struct gap gap = {
        position_at(find(text, length, "\"after\":\""), end), position_at(find(text, length, "\"before\":\""), end)};
    if (!gap.before) {
        receiver->malformed++;
        return;
    }
    receiver->gaps = realloc(receiver->gaps, (receiver->gap_count + 1) * sizeof gap);
    receiver->gaps[receiver->gap_count++] = gap;
    for (size_t i = 0; reason && reason + i < end && reason[i] != '"' && i < sizeof receiver->reason - 1; i++) {
        receiver->reason[i] = reason[i];
        receiver->reason[i + 1] = 0;
    }
    // From there on events are told again, and none from before.
    if (gap.before && gap.before - 1 > receiver->last_log) receiver->last_log = gap.before - 1;
}

static void told_event(struct receiver *receiver, const char *text, size_t length, uint64_t now) {
    const char *end = text + length, *place = find(text, length, "\"info\":\"");
    if (!place) {
        receiver->malformed++;
        return;
    }
    uint64_t made = read_number(&place, end), log = last_position(text, length);
    if (place < end) place++;
    uint64_t number = read_number(&place, end);
    if (!number || number >= MOST_EVENTS || !log) {
        receiver->malformed++;
        return;
    }
    uint64_t folded = number_behind(text, length, "\"folded\":");
    receiver->events++;
    if (folded) {
        receiver->folded_events++;
        receiver->folded_sum += folded;
    }
    if (receiver->slow) {
        uint8_t bit = (uint8_t)(1 << (number & 7));
        if (receiver->seen[number >> 3] & bit) receiver->doubled++;
        else if (log <= receiver->last_log) receiver->disordered++;
        receiver->seen[number >> 3] |= bit;
    } else {
        if (number == receiver->last_event) receiver->doubled++;
        else if (number < receiver->last_event || log <= receiver->last_log) receiver->disordered++;
        else receiver->lost += (long)(number - receiver->last_event - 1);
        log_numbers[number] = log;
        if (made && made <= now) {
            histogram_add(&phase.latencies, now - made);
            histogram_add(&interval.latencies, now - made);
        }
    }
    if (number > receiver->last_event) receiver->last_event = number;
    if (log > receiver->last_log) receiver->last_log = log;
}

void client_received(struct client *client, const char *text, size_t length, uint64_t now) {
    struct receiver *receiver = (struct receiver *)client;
    // An event packet of the default namespace without an acknowledgement: "42" and an array.
    bool is_packet = length > 4 && !memcmp(text, "42[\"", 4);
    // The healthy ones' are too many to read each twice; they come from the same encoder.
    if (!is_packet || (receiver->slow && !is_json(text + 2, length - 2))) {
        receiver->malformed++;
    } else if (is_event(text, length, "thing:save")) {
        told_event(receiver, text, length, now);
    } else if (is_event(text, length, "gap")) {
        told_gap(receiver, text, length);
    } else {
        if (is_event(text, length, "identity")) receiver->joined_log = last_position(text, length);
        receiver->other++;
    }
}

// ---- the loop ------------------------------------------------------------------------------------

static char command[256];
static size_t command_length;
static bool has_ended;

// Handles what is there until `end`, or until a command has come.
static void work_until(uint64_t end, bool for_command) {
    while (!has_ended) {
        struct epoll_event ready[512];
        uint64_t now = now_ns(), left = end > now ? end - now : 0;
        struct timespec timeout = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
        int count = epoll_pwait2(client_epoll(), ready, 512, &timeout, NULL);
        bool has_command = false;
        for (int i = 0; i < count; i++) {
            if (ready[i].data.ptr) {
                client_ready_for(ready[i].data.ptr, ready[i].events);
                continue;
            }
            ssize_t length = read(STDIN_FILENO, command + command_length, sizeof command - 1 - command_length);
            if (length <= 0) has_ended = true;
            else command_length += (size_t)length;
            command[command_length] = 0;
            has_command = strchr(command, '\n');
        }
        if ((for_command && has_command) || now_ns() >= end) return;
    }
}

static void brief_work(void) { work_until(now_ns() + 5000000, false); }

static struct receiver *open_receivers(int count, bool are_slow, int receive_buffer) {
    struct receiver *list = calloc((size_t)count, sizeof *list);
    long ready = client_totals.ready;
    int next = 0;
    for (uint64_t end = now_ns() + 30000000000ull; client_totals.ready < ready + count && now_ns() < end;) {
        for (; next < count && client_totals.connecting < 32; next++) {
            list[next].slow = are_slow;
            if (are_slow) list[next].seen = calloc(1, MOST_EVENTS / 8);
            list[next].client.token = token;
            list[next].client.receive_buffer = receive_buffer;
            client_open(&list[next].client);
        }
        brief_work();
    }
    return list;
}

// ---- the commands --------------------------------------------------------------------------------

// Tells what a stretch of time was like, and begins the next.
static void begin(struct stretch *stretch) {
    const struct histogram *latencies = &stretch->latencies;
    uint64_t now = now_ns(), cpu = own_cpu_ns();
    double wall = stretch->started ? (double)(now - stretch->started) : 1;
    printf("{\"deliveries\":%llu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"busy\":%.3f,\"seconds\":%.2f}\n",
           (unsigned long long)latencies->count, histogram_us(latencies, 0.5), histogram_us(latencies, 0.99),
           (double)latencies->max / 1e3, (double)(cpu - stretch->cpu) / wall, wall / 1e9);
    memset(stretch, 0, sizeof *stretch);
    stretch->started = now;
    stretch->cpu = cpu;
}

static void open_slow(int count, int receive_buffer) {
    long before = client_totals.ready;
    slow_count = count;
    slow = open_receivers(count, true, receive_buffer);
    printf("{\"ready\":%ld}\n", client_totals.ready - before);
    for (int i = 0; i < count; i++) client_pause(&slow[i].client);
}

static void finish(uint64_t last, double seconds) {
    long behind = healthy_count;
    for (uint64_t end = now_ns() + (uint64_t)(seconds * 1e9); behind && now_ns() < end;) {
        brief_work();
        behind = 0;
        for (int i = 0; i < healthy_count; i++) behind += healthy[i].last_event < last;
    }
    // Anything that comes once too often comes now.
    work_until(now_ns() + 300000000, false);
    long complete = 0, lost = 0, doubled = 0, disordered = 0, malformed = 0, folded = 0, gaps = 0, closed = 0;
    for (int i = 0; i < healthy_count; i++) {
        struct receiver *r = &healthy[i];
        complete += r->last_event == last && (uint64_t)r->events == last;
        lost += r->lost + (long)(last - r->last_event);
        doubled += r->doubled;
        disordered += r->disordered;
        malformed += r->malformed;
        folded += r->folded_events;
        gaps += (long)r->gap_count;
        closed += r->client.state == CLIENT_CLOSED;
    }
    printf("{\"sockets\":%d,\"complete\":%ld,\"lost\":%ld,\"doubled\":%ld,\"disordered\":%ld,\"malformed\":%ld,"
           "\"folded\":%ld,\"gaps\":%ld,\"closed\":%ld}\n",
           healthy_count, complete, lost, doubled, disordered, malformed, folded, gaps, closed);
}

static bool is_in_gap(const struct receiver *receiver, uint64_t log) {
    for (size_t i = 0; i < receiver->gap_count; i++) {
        if (receiver->gaps[i].after < log && log <= receiver->gaps[i].before) return true;
    }
    return false;
}

static void drain(uint64_t last, double seconds, uint64_t keys) {
    uint64_t started = now_ns();
    for (int i = 0; i < slow_count; i++) {
        int wide = 4 << 20;
        if (slow[i].client.state != CLIENT_CLOSED) {
            setsockopt(slow[i].client.fd, SOL_SOCKET, SO_RCVBUF, &wide, sizeof wide);
        }
        client_resume(&slow[i].client);
    }
    long waiting = slow_count;
    for (uint64_t end = started + (uint64_t)(seconds * 1e9); waiting && now_ns() < end;) {
        brief_work();
        waiting = 0;
        for (int i = 0; i < slow_count; i++) {
            struct receiver *r = &slow[i];
            r->drained = r->last_log >= log_numbers[last] || is_in_gap(r, log_numbers[last]);
            waiting += r->client.state != CLIENT_CLOSED && !r->drained;
        }
    }
    work_until(now_ns() + 500000000, false);

    long open = 0, closed = 0, cut = 0, torn = 0, faulty = 0, unfinished = 0, words_missing = 0, words_in_gaps = 0;
    long doubled = 0, disordered = 0, malformed = 0, events = 0, folded_events = 0, gaps = 0, with_gap = 0;
    long missing = 0, missing_in_gaps = 0;
    uint64_t folded_sum = 0;
    const char *fault = "", *reason = "";
    for (int i = 0; i < slow_count; i++) {
        struct receiver *r = &slow[i];
        bool is_open = r->client.state != CLIENT_CLOSED;
        open += is_open;
        closed += !is_open;
        cut += r->client.cut;
        torn += is_open && r->client.held_length;
        if (r->client.fault) faulty++, fault = r->client.fault;
        unfinished += is_open && !r->drained;
        doubled += r->doubled;
        disordered += r->disordered;
        malformed += r->malformed;
        events += r->events;
        folded_events += r->folded_events;
        folded_sum += r->folded_sum;
        gaps += (long)r->gap_count;
        with_gap += r->gap_count > 0;
        if (r->gap_count) reason = r->reason;
        // Whoever was closed may come back and ask for the rest; of the others all has to be accounted for.
        if (!is_open) continue;
        for (uint64_t e = 1; e <= last; e++) {
            if (log_numbers[e] <= r->joined_log || r->seen[e >> 3] & 1 << (e & 7)) continue;
            bool in_gap = is_in_gap(r, log_numbers[e]), is_last_word = !keys || e + keys > last;
            missing++;
            missing_in_gaps += in_gap;
            words_in_gaps += is_last_word && in_gap;
            words_missing += is_last_word && !in_gap;
        }
    }
    printf("{\"sockets\":%d,\"open\":%ld,\"closed\":%ld,\"cut\":%ld,\"torn\":%ld,\"faulty\":%ld,"
           "\"fault\":\"%s\",\"unfinished\":%ld,"
           "\"doubled\":%ld,\"disordered\":%ld,\"malformed\":%ld,\"events\":%ld,\"folded_events\":%ld,"
           "\"folded_sum\":%llu,\"gaps\":%ld,\"with_gap\":%ld,\"gap_reason\":\"%s\",\"missing\":%ld,"
           "\"missing_in_gaps\":%ld,\"words_missing\":%ld,\"words_in_gaps\":%ld,\"seconds\":%.2f}\n",
           slow_count, open, closed, cut, torn, faulty, fault, unfinished, doubled, disordered, malformed, events,
           folded_events, (unsigned long long)folded_sum, gaps, with_gap, reason, missing, missing_in_gaps,
           words_missing, words_in_gaps, (double)(now_ns() - started) / 1e9);
}

static void obey(const char *line) {
    int count = 0, size = 0;
    unsigned long long last = 0, keys = 0;
    double seconds = 0;
    if (sscanf(line, "healthy %d", &count) == 1) {
        healthy_count = count;
        healthy = open_receivers(count, false, 0);
        printf("{\"ready\":%ld}\n", client_totals.ready);
    } else if (!strcmp(line, "phase")) {
        begin(&phase);
    } else if (!strcmp(line, "interval")) {
        begin(&interval);
    } else if (sscanf(line, "slow %d %d", &count, &size) == 2) {
        open_slow(count, size);
    } else if (sscanf(line, "finish %llu %lf", &last, &seconds) == 2 && last < MOST_EVENTS) {
        finish(last, seconds);
    } else if (sscanf(line, "drain %llu %lf %llu", &last, &seconds, &keys) == 3 && last < MOST_EVENTS) {
        drain(last, seconds, keys);
    } else {
        die("what is \"%s\"?", line);
    }
    fflush(stdout);
}

int main(int count, char **arguments) {
    if (count != 3) die("slow-consumers PORT TOKEN");
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    client_set_server("127.0.0.1", atoi(arguments[1]));
    token = arguments[2];
    log_numbers = calloc(MOST_EVENTS, sizeof *log_numbers);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(client_epoll(), EPOLL_CTL_ADD, STDIN_FILENO, &event);
    while (!has_ended) {
        work_until(UINT64_MAX / 2, true);
        for (char *end; (end = strchr(command, '\n'));) {
            *end = 0;
            obey(command);
            command_length -= (size_t)(end + 1 - command);
            memmove(command, end + 1, command_length + 1);
        }
    }
    return 0;
}
