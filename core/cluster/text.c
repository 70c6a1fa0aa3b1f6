#include "text.h"

#include <string.h>

static const char letters_and_digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";

bool cluster_text_is_hex(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

bool cluster_text_is_word(const char *text)
{
    if (!*text) return false;
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7f) return false;
    return true;
}

bool cluster_text_is_host(const char *text)
{
    return *text && text[strspn(text, letters_and_digits)] == 0;
}

bool cluster_text_is_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) return false;
    return true;
}
