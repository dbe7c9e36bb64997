// The floor: a C server that does no more than it must, to measure ours beside.
//
// One thread; the WebSocket upgrade, the Engine.IO and Socket.IO handshake, the login with an HS256 token, and sending
// events: one frame, built once for each event, and one send for each socket. It keeps nothing: no row, no log, no
// policy but "admins only". A yardstick, not a server: it has no time-outs and trusts its one client.
//
//   --secret S    the tokens' key
//   --batch N     joins N events of a burst in one send
//
//   POST /api/things (an admin's token)                one event; with "admin_only":true for admins only
//   POST /emit?count=&interval_us=&bytes=&admins=0|1   that many events, by itself
//
// Its first line on standard output is the address it listens on, as our server's is.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "digest.h"
#include "measure.h"

enum role { ROLE_NONE, ROLE_USER, ROLE_ADMIN };
enum audience { EVERYBODY, ADMINS, AUDIENCES };
enum { DESCRIPTORS = 65536, NOWHERE = -1 };

struct connection {
    int fd;
    bool is_websocket;
    enum role role;
    int place[AUDIENCES]; // in the list of each audience
    uint8_t *in, *out;
    size_t in_length, out_length, out_sent;
};

static struct connection *audience[AUDIENCES][DESCRIPTORS];
static int audience_count[AUDIENCES];
static int epoll;
static int batch = 1;
static const char *secret = "";
static uint64_t last_id;

// ---- sending -----------------------------------------------------------------------------------

static void watch(struct connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(epoll, operation, c->fd, &event);
}

static void put(struct connection *c, const void *bytes, size_t length) {
    const uint8_t *rest = bytes;
    if (!c->out_length) {
        ssize_t sent = send(c->fd, rest, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent == (ssize_t)length) return;
        if (sent < 0 && errno != EAGAIN) return; // reading finds out, and closes it
        if (sent > 0) {
            rest += sent;
            length -= (size_t)sent;
        }
        watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    c->out = realloc(c->out, c->out_length + length);
    memcpy(c->out + c->out_length, rest, length);
    c->out_length += length;
}

static void send_rest(struct connection *c) {
    ssize_t sent = send(c->fd, c->out + c->out_sent, c->out_length - c->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) c->out_sent += (size_t)sent;
    if (c->out_sent < c->out_length) return;
    free(c->out);
    c->out = NULL;
    c->out_length = c->out_sent = 0;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static size_t frame(uint8_t *out, const char *text, size_t length) {
    size_t header = 2;
    out[0] = 0x81;
    if (length < 126) {
        out[1] = (uint8_t)length;
    } else {
        out[1] = 126;
        out[2] = (uint8_t)(length >> 8);
        out[3] = (uint8_t)length;
        header = 4;
    }
    memcpy(out + header, text, length);
    return header + length;
}

static void put_text(struct connection *c, const char *text) {
    uint8_t bytes[1024];
    put(c, bytes, frame(bytes, text, strlen(text)));
}

// ---- who is logged in --------------------------------------------------------------------------

static void enlist(struct connection *c) {
    for (int a = EVERYBODY; a <= (c->role == ROLE_ADMIN ? ADMINS : EVERYBODY); a++) {
        if (c->place[a] != NOWHERE) continue;
        c->place[a] = audience_count[a];
        audience[a][audience_count[a]++] = c;
    }
}

static void drop(struct connection *c) {
    for (int a = 0; a < AUDIENCES; a++) {
        if (c->place[a] == NOWHERE) continue;
        struct connection *last = audience[a][--audience_count[a]];
        audience[a][c->place[a]] = last;
        last->place[a] = c->place[a];
    }
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static int read_base64url(const char *text, size_t length, uint8_t *out) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    int pending = 0, count = 0;
    for (size_t i = 0; i < length; i++) {
        const char *letter = text[i] ? strchr(letters, text[i]) : NULL;
        if (!letter) return -1;
        bits = bits << 6 | (uint32_t)(letter - letters);
        if ((pending += 6) < 8) continue;
        pending -= 8;
        out[count++] = (uint8_t)(bits >> pending);
    }
    return count;
}

static enum role verify(const char *token, size_t length) {
    uint8_t expected[32], signature[64], claims[1024];
    const char *first = memchr(token, '.', length), *second = memrchr(token, '.', length);
    if (!first || first == second || second - first > 1300) return ROLE_NONE;
    size_t signature_length = length - (size_t)(second + 1 - token);
    if (signature_length > 44 || read_base64url(second + 1, signature_length, signature) != 32) return ROLE_NONE;
    hmac_sha256(secret, token, (size_t)(second - token), expected);
    if (memcmp(expected, signature, 32)) return ROLE_NONE;
    int count = read_base64url(first + 1, (size_t)(second - first - 1), claims);
    if (count < 0) return ROLE_NONE;
    return memmem(claims, (size_t)count, "\"role\":\"admin\"", 14) ? ROLE_ADMIN : ROLE_USER;
}

// ---- events ------------------------------------------------------------------------------------

// A row as ours would be, in the frame that tells it.
static size_t event_frame(uint8_t *out, const char *info, size_t info_length, bool admins_only) {
    char text[4096];
    int length = snprintf(
        text, sizeof text,
        "42[\"thing:save\",{\"_id\":%llu,\"name\":\"bench\",\"info\":\"%.*s\",\"active\":true,\"admin_only\":%s}]",
        (unsigned long long)++last_id, (int)info_length, info, admins_only ? "true" : "false");
    return frame(out, text, (size_t)length);
}

static void broadcast(enum audience to, const uint8_t *bytes, size_t length) {
    for (int i = 0; i < audience_count[to]; i++) put(audience[to][i], bytes, length);
}

static struct {
    long left;
    int interval_us, bytes;
    enum audience to;
    uint64_t asked, next;
} job;

static void work(void) {
    static uint8_t frames[1 << 18];
    size_t length = 0;
    for (int i = 0; i < (job.interval_us ? 1 : batch) && job.left > 0; i++, job.left--) {
        char info[2048];
        // A burst's events are all as old as the burst, paced ones were made just now.
        uint64_t made = job.interval_us ? now_ns() : job.asked;
        int filled = snprintf(info, sizeof info, "%llu ", (unsigned long long)made);
        while (filled < job.bytes - 90 && filled < (int)sizeof info) info[filled] = (char)('a' + filled % 26), filled++;
        length += event_frame(frames + length, info, (size_t)filled, job.to == ADMINS);
    }
    broadcast(job.to, frames, length);
    job.next += (uint64_t)job.interval_us * 1000;
}

// ---- HTTP and WebSocket --------------------------------------------------------------------------

static long parameter(const char *target, const char *name, long standard) {
    const char *place = strstr(target, name);
    return place ? atol(place + strlen(name)) : standard;
}

static void answer(struct connection *c, const char *status, const char *body) {
    char text[4096];
    int length = snprintf(
        text, sizeof text, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
        strlen(body), body);
    put(c, text, (size_t)length);
}

static void upgrade(struct connection *c, const char *key) {
    char challenge[64], text[512], open[160], accept[29] = "";
    uint8_t digest[21] = {0};
    snprintf(challenge, sizeof challenge, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1(challenge, strlen(challenge), digest);
    for (int i = 0; i < 7; i++) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        uint32_t bits = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | digest[3 * i + 2];
        for (int k = 0; k < 4; k++) accept[4 * i + k] = letters[bits >> (18 - 6 * k) & 63];
    }
    accept[27] = '=';
    int length = snprintf(
        text, sizeof text,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: %s\r\n\r\n",
        accept);
    int opened = snprintf(
        open, sizeof open,
        "0{\"sid\":\"%d\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":1000000}", c->fd);
    length += (int)frame((uint8_t *)text + length, open, (size_t)opened);
    c->is_websocket = true;
    put(c, text, (size_t)length);
}

static void create(struct connection *c, const char *token, const char *body) {
    if (!token || verify(token, strcspn(token, "\r\n")) != ROLE_ADMIN) {
        answer(c, "401 Unauthorized", "{}");
        return;
    }
    const char *info = strstr(body, "\"info\":\"");
    info = info ? info + 8 : "\"";
    size_t length = strcspn(info, "\"");
    if (length > 2000) length = 2000;
    bool admins_only = strstr(body, "\"admin_only\":true");
    uint8_t bytes[4096];
    char row[4096];
    size_t frame_length = event_frame(bytes, info, length, admins_only);
    broadcast(admins_only ? ADMINS : EVERYBODY, bytes, frame_length);
    snprintf(
        row, sizeof row, "{\"_id\":%llu,\"name\":\"bench\",\"info\":\"%.*s\"}", (unsigned long long)last_id,
        (int)length, info);
    answer(c, "201 Created", row);
}

// Takes one request and returns its length, 0 while it is not whole.
static size_t take_request(struct connection *c) {
    char *text = (char *)c->in, *end = strstr(text, "\r\n\r\n");
    if (!end) return 0;
    char *declared = strcasestr(text, "\ncontent-length:"), *key = strcasestr(text, "\nsec-websocket-key:");
    char *token = strcasestr(text, "\nauthorization: bearer ");
    size_t head = (size_t)(end + 4 - text), whole = head;
    if (declared && declared < end) whole += strtoul(declared + 16, NULL, 10);
    if (c->in_length < whole) return 0;
    if (key && key < end) {
        upgrade(c, key + 19 + strspn(key + 19, " "));
    } else if (!strncmp(text, "POST /emit?", 11)) {
        job.left = parameter(text, "count=", 1);
        job.interval_us = (int)parameter(text, "interval_us=", 0);
        job.bytes = (int)parameter(text, "bytes=", 200);
        job.to = parameter(text, "admins=", 0) ? ADMINS : EVERYBODY;
        job.asked = job.next = now_ns();
        answer(c, "200 OK", "{}");
    } else if (!strncmp(text, "POST /api/things ", 17)) {
        create(c, token && token < end ? token + 23 : NULL, text + head);
    } else {
        answer(c, "404 Not Found", "{}");
    }
    return whole;
}

static void take_text(struct connection *c, const char *text, size_t length) {
    if (length >= 2 && !memcmp(text, "40", 2)) {
        put_text(c, "40{\"sid\":\"a\"}");
    } else if (length > 15 && !memcmp(text, "420[\"login\",\"", 13)) {
        c->role = verify(text + 13, length - 15);
        put_text(c, c->role ? "430[{\"data\":\"registered\"}]" : "430[{\"error\":\"token_invalid\"}]");
        if (c->role) enlist(c);
    }
}

// Takes one frame and returns its length, 0 while it is not whole and -1 where the connection is over.
static long take_frame(struct connection *c, uint8_t *bytes, size_t length) {
    if (length < 6) return 0;
    size_t header = 6, payload = bytes[1] & 0x7f;
    if (!(bytes[1] & 0x80) || payload == 127) return -1;
    if (payload == 126) {
        if (length < 8) return 0;
        payload = (size_t)bytes[2] << 8 | bytes[3];
        header = 8;
    }
    if (length < header + payload) return 0;
    const uint8_t *mask = bytes + header - 4;
    uint8_t *text = bytes + header;
    for (size_t i = 0; i < payload; i++) text[i] ^= mask[i & 3];
    if ((bytes[0] & 0x0f) == 8) return -1;
    if ((bytes[0] & 0x0f) == 1) take_text(c, (char *)text, payload);
    return (long)(header + payload);
}

// False where the connection is over.
static bool read_some(struct connection *c) {
    static uint8_t bytes[65536];
    ssize_t count = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) return false;
    c->in = realloc(c->in, c->in_length + (size_t)count + 1);
    memcpy(c->in + c->in_length, bytes, (size_t)count);
    c->in_length += (size_t)count;
    c->in[c->in_length] = 0;
    while (c->in_length) {
        long taken = c->is_websocket ? take_frame(c, c->in, c->in_length) : (long)take_request(c);
        if (taken < 0) return false;
        if (!taken) return true;
        c->in_length -= (size_t)taken;
        memmove(c->in, c->in + taken, c->in_length + 1);
    }
    free(c->in);
    c->in = NULL;
    return true;
}

// ---- the loop ----------------------------------------------------------------------------------

static int listen_somewhere(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    if (bind(fd, (struct sockaddr *)&own, sizeof own) || listen(fd, 4096)) die("listen: %s", strerror(errno));
    getsockname(fd, (struct sockaddr *)&own, &length);
    printf("listening on http://127.0.0.1:%d\n", ntohs(own.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_all(int listener) {
    for (int fd, one = 1; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (fd >= DESCRIPTORS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->place[EVERYBODY] = c->place[ADMINS] = NOWHERE;
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(int count, char **arguments) {
    for (int i = 1; i + 1 < count; i += 2) {
        if (!strcmp(arguments[i], "--secret")) secret = arguments[i + 1];
        else if (!strcmp(arguments[i], "--batch")) batch = atoi(arguments[i + 1]);
        else die("unknown option %s", arguments[i]);
    }
    if (batch < 1 || batch > 64 || strlen(secret) > 64) die("--batch is from 1 to 64, --secret of 64 bytes at most");
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    epoll = epoll_create1(0);
    int listener = listen_somewhere();
    struct epoll_event ready[512], event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        uint64_t now = now_ns(), wait = job.left > 0 ? (job.next > now ? job.next - now : 0) : 20000000000ull;
        struct timespec timeout = {(time_t)(wait / 1000000000), (long)(wait % 1000000000)};
        int ready_count = epoll_pwait2(epoll, ready, 512, &timeout, NULL);
        for (int i = 0; i < ready_count; i++) {
            struct connection *c = ready[i].data.ptr;
            if (!c) {
                accept_all(listener);
                continue;
            }
            if ((ready[i].events & EPOLLOUT) && c->out_length) send_rest(c);
            if ((ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !read_some(c)) drop(c);
        }
        // One step a turn, so that a burst's events come as creates would.
        if (job.left > 0 && now_ns() >= job.next) work();
    }
}
