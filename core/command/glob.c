#include "command/glob.h"

static uint8_t fold(uint8_t c, bool ignore_case)
{
    return ignore_case && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* One "[…]" at p[*at] (the '['), tried on `c`; moves *at past it. A class that is not closed ends with the pattern;
 * after a backslash the letter counts as it is, even without case: both as in Redis. */
static bool match_class(struct bytes p, size_t *at, uint8_t c, bool ignore_case)
{
    size_t i = *at + 1;
    bool negated = i < p.len && p.data[i] == '^', found = false;
    if (negated) i++;
    for (; i < p.len && p.data[i] != ']'; i++) {
        if (p.data[i] == '\\' && i + 1 < p.len) {
            if (p.data[++i] == c) found = true;
        } else if (i + 2 < p.len && p.data[i + 1] == '-') {
            uint8_t a = p.data[i], b = p.data[i + 2];
            uint8_t low = fold(a < b ? a : b, ignore_case), high = fold(a < b ? b : a, ignore_case);
            if (fold(c, ignore_case) >= low && fold(c, ignore_case) <= high) found = true;
            i += 2;
        } else if (fold(p.data[i], ignore_case) == fold(c, ignore_case)) {
            found = true;
        }
    }
    *at = i < p.len ? i + 1 : i;
    return found != negated;
}

/* Whether the element at p[*at] fits `c`; moves *at past it. Not for '*'. */
static bool match_one(struct bytes p, size_t *at, uint8_t c, bool ignore_case)
{
    if (p.data[*at] == '[') return match_class(p, at, c, ignore_case);
    if (p.data[*at] == '?') {
        (*at)++;
        return true;
    }
    if (p.data[*at] == '\\' && *at + 1 < p.len) (*at)++;
    return fold(p.data[(*at)++], ignore_case) == fold(c, ignore_case);
}

/* The shortest match for every '*' but the last one is as good as any, so only the last one is ever tried again. */
bool glob_match(struct bytes pattern, struct bytes text, bool ignore_case)
{
    size_t p = 0, t = 0, star_p = 0, star_t = 0;
    bool star = false;
    while (t < text.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = true;
            star_p = ++p;
            star_t = t;
            continue;
        }
        if (p < pattern.len && match_one(pattern, &p, text.data[t], ignore_case)) {
            t++;
            continue;
        }
        if (!star) return false;
        p = star_p;
        t = ++star_t;
    }
    while (p < pattern.len && pattern.data[p] == '*') p++;
    return p == pattern.len;
}

bool glob_is_pattern(struct bytes pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (strchr("[]*?\\", pattern.data[i]) && pattern.data[i]) return true;
    }
    return false;
}
