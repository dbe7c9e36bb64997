#define _GNU_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "measure.h"

struct client_totals client_totals;

static struct sockaddr_in server;
static const char *server_address;
static uint8_t received[1 << 18];

int client_epoll(void) {
    static int epoll = -1;
    if (epoll < 0 && (epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll: %s", strerror(errno));
    return epoll;
}

void client_set_server(const char *address, int port) {
    server_address = address;
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &server.sin_addr) != 1) die("%s is no IPv4 address", address);
}

// ---- opening and closing -----------------------------------------------------------------------

int client_connect_socket(int receive_buffer) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0) die("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    // Before connecting: the window that TCP offers follows from it.
    if (receive_buffer) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
        die("connect: %s", strerror(errno));
    }
    return fd;
}

static void watch(struct client *client, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(client_epoll(), operation, client->fd, &event)) die("epoll_ctl: %s", strerror(errno));
}

void client_open(struct client *client) {
    client->fd = client_connect_socket(client->receive_buffer);
    client->state = CLIENT_CONNECTING;
    client_totals.connecting++;
    watch(client, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void client_close(struct client *client, const char *fault) {
    if (client->state == CLIENT_CLOSED) return;
    if (client->state == CLIENT_READY) {
        client_totals.ready--;
        client_totals.dropped++;
    } else {
        client_totals.connecting--;
        client_totals.failed++;
    }
    client->fault = fault;
    close(client->fd);
    client->fd = -1;
    client->state = CLIENT_CLOSED;
    free(client->held);
    free(client->message);
    client->held = client->message = NULL;
    client->held_length = client->held_capacity = client->message_length = 0;
}

void client_pause(struct client *client) {
    if (client->paused || client->state == CLIENT_CLOSED) return;
    client->paused = true;
    watch(client, EPOLL_CTL_DEL, 0);
}

static void read_all(struct client *client);

void client_resume(struct client *client) {
    if (!client->paused || client->state == CLIENT_CLOSED) return;
    client->paused = false;
    watch(client, EPOLL_CTL_ADD, EPOLLIN);
    read_all(client);
}

// ---- sending -----------------------------------------------------------------------------------

void client_send(struct client *client, const void *bytes, size_t length) {
    const uint8_t *rest = bytes;
    // What a client says is small; the socket takes it at once unless the machine is in trouble.
    for (int attempts = 0; length;) {
        ssize_t sent = send(client->fd, rest, length, MSG_NOSIGNAL);
        if (sent > 0) {
            rest += sent;
            length -= (size_t)sent;
        } else if (errno == EAGAIN && attempts++ < 2000) {
            usleep(50);
        } else {
            client_close(client, NULL);
            return;
        }
    }
}

static void send_frame(struct client *client, int opcode, const char *payload, size_t length) {
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t frame[8192];
    if (length > sizeof frame - 16) die("a message of %zu bytes is more than a client sends", length);
    size_t header = 2;
    frame[0] = (uint8_t)(0x80 | opcode);
    if (length < 126) {
        frame[1] = (uint8_t)(0x80 | length);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(length >> 8);
        frame[3] = (uint8_t)length;
        header = 4;
    }
    memcpy(frame + header, mask, 4);
    header += 4;
    for (size_t i = 0; i < length; i++) frame[header + i] = (uint8_t)payload[i] ^ mask[i & 3];
    client_send(client, frame, header + length);
}

static void send_text(struct client *client, const char *text) { send_frame(client, 1, text, strlen(text)); }

static void request_upgrade(struct client *client) {
    char request[512];
    int length = snprintf(
        request, sizeof request,
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server_address, ntohs(server.sin_port));
    client->state = CLIENT_UPGRADING;
    client_send(client, request, (size_t)length);
}

// ---- receiving ---------------------------------------------------------------------------------

static bool begins(const char *text, size_t length, const char *beginning) {
    size_t wanted = strlen(beginning);
    return length >= wanted && !memcmp(text, beginning, wanted);
}

static void on_message(struct client *client, const char *text, size_t length, uint64_t now) {
    if (length == 1 && text[0] == '2') {
        client_totals.pings++;
        send_text(client, "3");
        return;
    }
    switch (client->state) {
    case CLIENT_OPENING:
        if (!begins(text, length, "0{")) break;
        client->state = CLIENT_JOINING;
        send_text(client, "40");
        return;
    case CLIENT_JOINING:
        if (begins(text, length, "40{")) {
            char login[4096];
            if (snprintf(login, sizeof login, "420[\"login\",\"%s\"]", client->token) >= (int)sizeof login) break;
            client->state = CLIENT_LOGGING_IN;
            send_text(client, login);
            return;
        }
        break;
    case CLIENT_LOGGING_IN:
        if (begins(text, length, "430[")) {
            if (!memmem(text, length, "\"registered\"", 12)) break;
            client->state = CLIENT_READY;
            client_totals.connecting--;
            client_totals.ready++;
            return;
        }
        client_received(client, text, length, now);
        return;
    case CLIENT_READY:
        if (begins(text, length, "44") || begins(text, length, "41") || begins(text, length, "1")) break;
        client_received(client, text, length, now);
        return;
    default:
        break;
    }
    client_close(client, "an unexpected packet");
}

// Takes the whole frames of `bytes` and returns how many bytes those were. The client may be closed by it.
static size_t take_frames(struct client *client, const uint8_t *bytes, size_t length, uint64_t now) {
    size_t taken = 0;
    while (client->state != CLIENT_CLOSED && length - taken >= 2) {
        const uint8_t *frame = bytes + taken;
        size_t available = length - taken, header = 2;
        uint64_t payload = frame[1] & 0x7f;
        if (frame[0] & 0x70 || frame[1] & 0x80) {
            client_close(client, "a frame with reserved bits or a mask");
            return length;
        }
        if (payload == 126) {
            if (available < 4) break;
            payload = (uint64_t)frame[2] << 8 | frame[3];
            header = 4;
        } else if (payload == 127) {
            if (available < 10) break;
            payload = 0;
            for (int i = 2; i < 10; i++) payload = payload << 8 | frame[i];
            header = 10;
        }
        if (payload > 1u << 26) {
            client_close(client, "a frame of more than 64 MiB");
            return length;
        }
        if (available < header + payload) break;
        const char *text = (const char *)frame + header;
        int opcode = frame[0] & 0x0f;
        bool final = frame[0] & 0x80;
        taken += header + payload;

        if (opcode == 8) {
            client_close(client, NULL);
        } else if (opcode == 9) {
            client_totals.pings++;
            send_frame(client, 10, text, payload);
        } else if (opcode == 10) {
            continue;
        } else if (opcode > 2 || (opcode == 0) != (client->message != NULL)) {
            client_close(client, "a frame out of turn");
        } else if (opcode == 0 || !final) {
            client->message = realloc(client->message, client->message_length + payload + 1);
            memcpy(client->message + client->message_length, text, payload);
            client->message_length += payload;
            if (!final) continue;
            uint8_t *whole = client->message;
            size_t whole_length = client->message_length;
            client->message = NULL;
            client->message_length = 0;
            on_message(client, (const char *)whole, whole_length, now);
            free(whole);
        } else {
            on_message(client, text, payload, now);
        }
    }
    return taken;
}

static size_t take_upgrade(struct client *client, const uint8_t *bytes, size_t length) {
    const uint8_t *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = (size_t)(end + 4 - bytes);
    if (!begins((const char *)bytes, head, "HTTP/1.1 101")
        || !memmem(bytes, head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28)) {
        client_close(client, "the upgrade was refused");
        return length;
    }
    client->state = CLIENT_OPENING;
    return head;
}

static void read_all(struct client *client) {
    for (;;) {
        uint8_t *into = received;
        size_t held = client->held_length, room = sizeof received;
        if (held) {
            if (client->held_capacity - held < 1 << 16) {
                client->held_capacity = held + (1 << 16);
                client->held = realloc(client->held, client->held_capacity);
            }
            into = client->held;
            room = client->held_capacity;
        }
        ssize_t count = recv(client->fd, into + held, room - held, 0);
        if (count <= 0) {
            if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
            client->cut = client->held_length || client->message;
            client_close(client, NULL);
            return;
        }
        client_totals.reads++;
        client_totals.bytes += (uint64_t)count;
        uint64_t now = now_ns();
        size_t length = held + (size_t)count, taken = 0;
        if (client->state == CLIENT_UPGRADING) taken = take_upgrade(client, into, length);
        if (client->state >= CLIENT_OPENING && client->state != CLIENT_CLOSED) {
            taken += take_frames(client, into + taken, length - taken, now);
        }
        if (client->state == CLIENT_CLOSED) return;

        size_t rest = length - taken;
        if (into == received && rest) {
            client->held_capacity = rest + 4096;
            client->held = malloc(client->held_capacity);
            memcpy(client->held, into + taken, rest);
        } else if (into != received && rest) {
            memmove(client->held, into + taken, rest);
        } else if (into != received) {
            free(client->held);
            client->held = NULL;
            client->held_capacity = 0;
        }
        client->held_length = rest;
        if ((size_t)count < room - held) return;
    }
}

void client_ready_for(struct client *client, uint32_t events) {
    if (client->state == CLIENT_CLOSED || client->paused) return;
    if (client->state == CLIENT_CONNECTING) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error) {
            client_close(client, "no connection");
            return;
        }
        watch(client, EPOLL_CTL_MOD, EPOLLIN);
        request_upgrade(client);
        return;
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read_all(client);
}
