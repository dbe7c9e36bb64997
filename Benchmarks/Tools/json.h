// Whether a text is JSON (RFC 8259), whole and nothing behind it.
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct json_text {
    const char *at, *end;
};

static inline void json_skip_space(struct json_text *text) {
    while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at) text->at++;
}

static inline bool json_take(struct json_text *text, char wanted) {
    if (text->at == text->end || *text->at != wanted) return false;
    text->at++;
    return true;
}

static inline bool json_digits(struct json_text *text) {
    const char *start = text->at;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9') text->at++;
    return text->at > start;
}

static inline bool json_string(struct json_text *text) {
    if (!json_take(text, '"')) return false;
    while (text->at < text->end) {
        unsigned char byte = (unsigned char)*text->at++;
        if (byte == '"') return true;
        if (byte < 0x20) return false;
        if (byte != '\\') continue;
        if (text->at == text->end) return false;
        char escape = *text->at++;
        if (!escape || !strchr("\"\\/bfnrtu", escape)) return false;
        for (int i = 0; escape == 'u' && i < 4; i++, text->at++) {
            if (text->at == text->end || !*text->at || !strchr("0123456789abcdefABCDEF", *text->at)) return false;
        }
    }
    return false;
}

static inline bool json_number(struct json_text *text) {
    json_take(text, '-');
    const char *start = text->at;
    if (!json_digits(text) || (*start == '0' && text->at > start + 1)) return false;
    if (json_take(text, '.') && !json_digits(text)) return false;
    if (json_take(text, 'e') || json_take(text, 'E')) {
        if (!json_take(text, '+')) json_take(text, '-');
        return json_digits(text);
    }
    return true;
}

static inline bool json_value(struct json_text *text, int depth) {
    json_skip_space(text);
    if (text->at == text->end || depth > 64) return false;
    char first = *text->at;
    if (first == '[' || first == '{') {
        char last = first == '[' ? ']' : '}';
        text->at++;
        json_skip_space(text);
        if (json_take(text, last)) return true;
        do {
            json_skip_space(text);
            if (first == '{') {
                if (!json_string(text)) return false;
                json_skip_space(text);
                if (!json_take(text, ':')) return false;
            }
            if (!json_value(text, depth + 1)) return false;
            json_skip_space(text);
        } while (json_take(text, ','));
        return json_take(text, last);
    }
    if (first == '"') return json_string(text);
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(text->end - text->at) < length || memcmp(text->at, words[i], length)) continue;
        text->at += length;
        return true;
    }
    return json_number(text);
}

static inline bool is_json(const char *bytes, size_t length) {
    struct json_text text = {bytes, bytes + length};
    if (!json_value(&text, 0)) return false;
    json_skip_space(&text);
    return text.at == text.end;
}

#endif
