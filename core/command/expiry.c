#include "command/expiry.h"

enum command_expiry command_expiry_word(struct bytes word)
{
    if (bytes_is(word, "EX")) return EXPIRY_EX;
    if (bytes_is(word, "PX")) return EXPIRY_PX;
    if (bytes_is(word, "EXAT")) return EXPIRY_EXAT;
    if (bytes_is(word, "PXAT")) return EXPIRY_PXAT;
    return EXPIRY_NONE;
}

bool command_expiry_read(struct command_call *c, enum command_expiry unit, int i, int64_t *expires_ms)
{
    int64_t value;
    if (!command_integer(c, i, &value, NULL)) return false;
    bool seconds = unit == EXPIRY_EX || unit == EXPIRY_EXAT;
    bool relative = unit == EXPIRY_EX || unit == EXPIRY_PX;
    if (value <= 0 || __builtin_mul_overflow(value, seconds ? 1000 : 1, &value) ||
        __builtin_add_overflow(value, relative ? c->now_ms : 0, &value)) {
        resp_error(c->reply, ERROR_SYNTAX, "invalid expire time in '%s' command", c->entry->name);
        return false;
    }
    *expires_ms = value;
    return true;
}
