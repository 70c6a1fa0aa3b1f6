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

bool command_expiry_condition(struct command_expiry_conditions *k, struct bytes word)
{
    bool *const flags[] = {&k->nx, &k->xx, &k->gt, &k->lt};
    static const char *const words[] = {"NX", "XX", "GT", "LT"};
    for (size_t i = 0; i < 4; i++) {
        if (!bytes_is(word, words[i])) continue;
        *flags[i] = true;
        return true;
    }
    return false;
}

bool command_expiry_may_change(const struct command_expiry_conditions *k, int64_t current_ms, int64_t wanted_ms)
{
    bool expires = current_ms != KEYSPACE_NO_EXPIRY;
    if (k->nx && expires) return false;
    if (k->xx && !expires) return false;
    if (k->gt && (!expires || wanted_ms <= current_ms)) return false;
    if (k->lt && expires && wanted_ms >= current_ms) return false;
    return true;
}
