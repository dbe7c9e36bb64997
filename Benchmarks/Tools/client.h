// A Socket.IO client on a non-blocking WebSocket: connects, logs in with a token, and hands over what it is sent.
//
// Engine.IO v4, Socket.IO v5. It answers pings, puts fragments together, and never offers permessage-deflate. One
// thread and one epoll set serve all clients of a process.
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_state {
    CLIENT_NEW,
    CLIENT_CONNECTING, // TCP
    CLIENT_UPGRADING,  // the HTTP request is out
    CLIENT_OPENING,    // awaiting Engine.IO's open packet
    CLIENT_JOINING,    // awaiting the namespace
    CLIENT_LOGGING_IN, // awaiting the login's acknowledgement
    CLIENT_READY,
    CLIENT_CLOSED,
};

struct client {
    int fd;
    enum client_state state;
    uint32_t index;
    bool admin;
    bool paused;         // takes nothing from its socket
    int receive_buffer;  // SO_RCVBUF, 0 for the system's
    const char *token;
    const char *fault;   // what was wrong with the stream; NULL while nothing was
    bool cut;            // the stream ended within a frame
    uint8_t *held;       // the beginning of a frame that is not whole yet
    size_t held_length, held_capacity;
    uint8_t *message;    // fragments of a message that is not whole yet
    size_t message_length;
};

// How all clients stand, and what came in.
struct client_totals {
    long connecting, ready, failed, dropped, pings, reads;
    uint64_t bytes;
};
extern struct client_totals client_totals;

// The epoll set, made by the first call.
int client_epoll(void);

void client_set_server(const char *address, int port);

// Begins to connect. `fd` and all that follows it must be zero, except what the caller chose.
void client_open(struct client *client);
void client_close(struct client *client, const char *fault);

// What epoll said of a client's descriptor.
void client_ready_for(struct client *client, uint32_t events);

// Stops and resumes taking bytes, from outside `client_received`; resuming reads what is there.
void client_pause(struct client *client);
void client_resume(struct client *client);

// A connected non-blocking descriptor, on its way: for the program's own HTTP connections.
int client_connect_socket(int receive_buffer);
void client_send(struct client *client, const void *bytes, size_t length);

// The program's: a whole text message of a client in the namespace, with the time at which its bytes were read.
void client_received(struct client *client, const char *text, size_t length, uint64_t now);

#endif
